//! Images, figures, tables, texts and histograms that the default logger writes as files.

use crate::model::{Model, config};
use std::fs;
use tch_lightning::loggers::{CsvLogger, Table, TensorBoardLogger};
use tch_lightning::prelude::*;

#[test]
fn media_are_files_in_the_folder_of_the_run() {
    let root = tempfile::tempdir().unwrap();
    Trainer::new(config(root.path())).fit(&mut Model::new(), ()).unwrap();
    let run = root.path().join("lightning_logs/version_0");
    let read = |path: &str| fs::read(run.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(read("images/pictures/digit/step_3.png")[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!(read("texts/words/step_7.txt"), b"epoch *1*");
    assert_eq!(read("tables/mistakes/step_3.csv"), b"digit,prediction\nseven,4.5\n");
    assert!(read("figures/curve/step_3.svg").starts_with(b"<svg"));
    let histograms = String::from_utf8(read("histograms.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = histograms.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 8);
    assert_eq!((&lines[7]["step"], &lines[7]["epoch"], &lines[7]["max"]), (&7.into(), &1.into(), &16.0.into()));
}

#[test]
fn several_loggers_share_the_folder_of_the_run() {
    let root = tempfile::tempdir().unwrap();
    let trainer = Trainer::new(config(root.path())).logger(CsvLogger::default()).logger(TensorBoardLogger::default());
    let mut trainer = trainer;
    trainer.fit(&mut Model::new(), ()).unwrap();
    // the next run of the same trainer has a folder of its own
    trainer.fit(&mut Model::new(), ()).unwrap();
    for version in ["version_0", "version_1"] {
        let names: Vec<String> = fs::read_dir(root.path().join("lightning_logs").join(version))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.contains(&"metrics.csv".to_owned()), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.starts_with("events.out.tfevents")).count(), 1, "{names:?}");
    }
    assert!(!root.path().join("lightning_logs/version_2").exists());
}

#[test]
fn table_whose_rows_do_not_fit_fails_the_hook() {
    struct Wrong(nn::VarStore, Tensor);

    #[lightning_module]
    impl Wrong {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.0
        }

        fn training_step(&self, batch: &Tensor) -> Tensor {
            (&self.1 * batch).sum(Kind::Float)
        }

        fn on_train_start(&self, ctx: &mut Context) {
            ctx.log_table("mistakes", Table::new(["digit", "prediction"]).row([1, 2]).row([3]));
        }

        fn configure_optimizers(&self) -> Sgd {
            Sgd::new(0.1)
        }

        fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
            Ok(DataLoader::new(TensorDataset::new(Tensor::zeros([1], (Kind::Float, Device::Cpu)))?))
        }
    }

    let root = tempfile::tempdir().unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let weight = vs.root().zeros("weight", &[1]);
    let error = Trainer::new(config(root.path())).fit(&mut Wrong(vs, weight), ()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("on_train_start") && said.contains("`mistakes`"), "{said}");
    assert!(said.contains("a table of 2 columns whose row 1 has 1 values"), "{said}");
}
