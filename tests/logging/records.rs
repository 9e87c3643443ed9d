//! What loggers get besides rows, and how hooks reach them.

use crate::script::{Script, config};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{
    RunContext,
    callbacks::ModelCheckpoint,
    loggers::{CsvLogger, LoggedAt, Logger, Record, RunStart, RunStatus},
};

/// A logger that keeps a line for each call.
#[derive(Clone, Default)]
struct Lines {
    lines: Rc<RefCell<Vec<String>>>,
    folder: PathBuf,
}

impl Lines {
    fn line(&self, line: impl Into<String>) -> Result<()> {
        self.lines.borrow_mut().push(line.into());
        Ok(())
    }

    fn all(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }
}

impl Logger for Lines {
    fn version(&self) -> Option<String> {
        Some("7".to_owned())
    }

    fn log_dir(&self) -> Option<&Path> {
        Some(&self.folder)
    }

    fn begin(&mut self, run: &RunStart) -> Result<()> {
        self.line(format!("begin {}", run.stage))
    }

    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
        let record = match record {
            Record::Scalars(row) => format!("row {row:?}"),
            Record::Hyperparameters(values) => format!("hyperparameters {values}"),
            Record::Graph(graph) => {
                let layers = graph.layers.iter().map(|layer| {
                    let tensors = layer.tensors.iter();
                    let tensors =
                        tensors.map(|tensor| format!(" {} {:?} {}", tensor.name, tensor.shape, tensor.requires_grad));
                    format!("{}:{}", layer.name, tensors.collect::<String>())
                });
                format!("graph {}", layers.collect::<Vec<_>>().join(", "))
            }
            Record::Histogram { name, histogram } => {
                format!("histogram {name}: {} values from {} to {}", histogram.count, histogram.min, histogram.max)
            }
            Record::Image { name, image } => {
                format!("image {name} {}x{}x{} {:?}", image.width, image.height, image.channels, image.pixels)
            }
            Record::Text { name, text } => format!("text {name} {text}"),
            Record::Checkpoint(saved) => {
                Checkpoint::read(&saved.path)?;
                let name = saved.path.file_name().unwrap().to_str().unwrap();
                format!("checkpoint {name} {} {:?} {:?}", saved.weights_only, saved.monitor, saved.score)
            }
            _ => "something new".to_owned(),
        };
        let epoch = at.epoch.map_or("-".to_owned(), |epoch| epoch.to_string());
        self.line(format!("{epoch} {}: {record}", at.step))
    }

    fn save(&mut self) -> Result<()> {
        self.line("save")
    }

    fn finalize(&mut self, status: RunStatus) -> Result<()> {
        self.line(format!("{status:?}"))
    }
}

#[test]
fn records_come_in_their_order_with_step_and_epoch() {
    for async_checkpointing in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let lines = Lines::default();
        let script = Script::new(3, |ctx, batch_idx| {
            let mut values = Tensor::from_slice(&[batch_idx as f32, 0.5]).set_requires_grad(true);
            ctx.log_histogram("values", &(&values * 2.0));
            // the copy is of the time of the call
            let _ = tch::no_grad(|| values.fill_(9.0));
            ctx.log_text("batch", format!("number {batch_idx}"));
            ctx.log("loss", 0.25);
            Ok(())
        })
        .at_epoch_end(|ctx| {
            ctx.log_image("picture", &Tensor::from_slice(&[0.0, 1.0, 0.2]).view([3, 1, 1]));
            Ok(())
        });
        let config =
            TrainerConfig { log_every_n_steps: 2, enable_checkpointing: true, async_checkpointing, ..config() };
        Trainer::new(config)
            .logger(lines.clone())
            .callback(ModelCheckpoint::new().dirpath(folder.path()).monitor("loss"))
            .hyper_parameters(serde_json::json!({ "width": 3 }))
            .fit(&mut { script }, ())
            .unwrap();
        let expected = [
            "begin fit",
            "- 0: hyperparameters {\"width\":3}",
            "- 0: graph : bias [1] true weight [1, 1] true",
            // every second batch has a row, and what was logged before comes before it
            "0 0: histogram values: 2 values from 0 to 1",
            "0 0: text batch number 0",
            "0 1: histogram values: 2 values from 1 to 2",
            "0 1: text batch number 1",
            "0 1: row [(\"loss\", 0.25), (\"epoch\", 0.0)]",
            "0 2: histogram values: 2 values from 1 to 4",
            "0 2: text batch number 2",
            "0 2: image picture 1x1x3 [0, 255, 51]",
            "save",
            "0 2: checkpoint epoch=0-step=3.ckpt false Some(\"loss\") Some(0.25)",
            "Success",
        ];
        let all = lines.all();
        if async_checkpointing {
            // it is handed out when it is written, at the latest at the end of the run
            let is_checkpoint = |line: &&str| line.contains(": checkpoint ");
            let without = |lines: Vec<String>| {
                lines.into_iter().filter(|line| !is_checkpoint(&line.as_str())).collect::<Vec<_>>()
            };
            assert_eq!(without(all.clone()), without(expected.map(str::to_owned).to_vec()));
            assert_eq!(all.iter().filter(|line| is_checkpoint(&line.as_str())).count(), 1);
        } else {
            assert_eq!(all, expected);
        }
    }
}

/// What a step that logs this ends with.
fn refused(log: impl Fn(&mut RunContext) + 'static) -> String {
    let mut script = Script::new(1, move |ctx, _| {
        log(ctx);
        Ok(())
    });
    let lines = Lines::default();
    let said = Trainer::new(config()).logger(lines.clone()).fit(&mut script, ()).unwrap_err().to_string();
    assert_eq!(lines.all().last().unwrap(), "Failed");
    said
}

#[test]
fn values_that_cannot_be_logged_are_refused() {
    let at = "`training_step` failed in `fit` at epoch 0, batch 0: ";
    let empty = Tensor::zeros([0], (Kind::Float, Device::Cpu));
    let said = refused(move |ctx| ctx.log_histogram("h", &empty));
    assert_eq!(said, format!("{at}`h` was logged with an empty tensor: a histogram has one value or more"));
    let said = refused(|ctx| ctx.log_histogram("h", &Tensor::new()));
    assert_eq!(said, format!("{at}`h` was logged with an undefined tensor, such as a gradient that was not computed"));
    let said = refused(|ctx| ctx.log_image("i", &Tensor::zeros([2, 4, 4], (Kind::Float, Device::Cpu))));
    let shape = "a tensor of shape [2, 4, 4]: an image is [channels, height, width], with 1, 3 or 4 channels";
    assert_eq!(said, format!("{at}`i` was logged with {shape}"));
    let said = refused(|ctx| ctx.log_image("i", &Tensor::zeros([1, 4, 4], (Kind::Int64, Device::Cpu))));
    let kind = "values of Int64: an image has bytes, or floating-point numbers from 0 to 1";
    assert_eq!(said, format!("{at}`i` was logged with {kind}"));
}

#[test]
fn hooks_find_a_logger_by_its_type() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("version_3");
    let expected = logs.clone();
    let script = Script::new(1, move |ctx, _| {
        let names: Vec<(String, Option<String>)> =
            ctx.loggers().map(|logger| (logger.name().to_owned(), logger.version())).collect();
        let own = |name: &str, version: &str| (name.to_owned(), Some(version.to_owned()));
        assert_eq!(names, [own("Lines", "7"), own("csv", "3")]);
        assert_eq!(ctx.find_logger::<CsvLogger>().unwrap().log_dir(), Some(expected.as_path()));
        ctx.find_logger_mut::<Lines>().unwrap().folder = "elsewhere".into();
        Ok(())
    });
    let mut trainer = Trainer::new(config()).logger(Lines::default()).logger(CsvLogger::new(&logs));
    trainer.fit(&mut { script }, ()).unwrap();
    let lines = trainer.context().find_logger::<Lines>().unwrap();
    assert_eq!(lines.log_dir(), Some(Path::new("elsewhere")));
}

#[test]
fn logger_that_the_trainer_creates_is_found_too() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new(1, |ctx, _| {
        let logger = ctx.find_logger::<CsvLogger>().unwrap();
        assert!(logger.log_dir().unwrap().ends_with("lightning_logs/version_0"));
        Ok(())
    });
    let config = TrainerConfig { default_root_dir: folder.path().to_owned(), logger: true.into(), ..config() };
    Trainer::new(config).fit(&mut { script }, ()).unwrap();
}

/// Fails or panics at the record of this kind.
struct Fails {
    panics: bool,
}

impl Logger for Fails {
    fn name(&self) -> &str {
        "tracker"
    }

    fn log(&mut self, record: &Record<'_>, _: &LoggedAt) -> Result<()> {
        match record {
            Record::Text { .. } if self.panics => panic!("no connection"),
            Record::Text { .. } => Err(anyhow!("no connection").context("cannot send the text")),
            _ => Ok(()),
        }
    }
}

#[test]
fn logger_that_fails_is_named_with_its_location() {
    for in_hook in [false, true] {
        for panics in [false, true] {
            let script = Script::new(2, move |ctx, batch_idx| {
                if batch_idx == 1 {
                    ctx.log_text("text", "hello");
                    if in_hook {
                        // through a hook's own error, the location is told once
                        ctx.log_to_loggers(&[("a".to_owned(), 1.0)], 0)?;
                        ctx.find_logger_mut::<Fails>().unwrap().log(&Record::Scalars(&[]), &LoggedAt::new(0, None))?;
                    }
                }
                ctx.log("loss", 1.0);
                Ok(())
            });
            let said =
                Trainer::new(config()).logger(Fails { panics }).fit(&mut { script }, ()).unwrap_err().to_string();
            let expected = match panics {
                true => {
                    "the logger `tracker` failed in `fit` at epoch 0, batch 1: no connection (panicked at tests/logging/records.rs:"
                }
                false => {
                    "the logger `tracker` failed in `fit` at epoch 0, batch 1: cannot send the text: no connection"
                }
            };
            assert!(said.starts_with(expected), "{said}");
        }
    }
}
