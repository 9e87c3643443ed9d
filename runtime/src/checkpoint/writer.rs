//! Writes checkpoints on a thread while training continues.

use super::retention::{Outdated, link};
use super::{Checkpoint, CheckpointError};
use crate::panic;
use crate::paths;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tch::{Device, Tensor};

/// The number of checkpoints that can be queued while one is written. Each is a copy of the module and its optimizers in memory.
const WAITING: usize = 1;

/// A checkpoint whose tensors are immutable copies in host memory.
pub(crate) struct Snapshot(Checkpoint);

impl Checkpoint {
    /// Copies the tensors to host memory. Synchronizes with the device, and performs no file operations.
    pub(crate) fn snapshot(mut self) -> Result<Snapshot, CheckpointError> {
        for tensor in self.tensors.values_mut() {
            let mut copy = Tensor::f_empty(tensor.size(), (tensor.f_kind()?, Device::Cpu))?;
            tch::no_grad(|| copy.f_copy_(tensor))?;
            *tensor = copy;
        }
        Ok(Snapshot(self))
    }
}

/// A thread that writes checkpoints in the order of the requests. The first request starts it.
///
/// An error is returned once, by the next call of a method. Until then nothing is written or removed, so that operations stay in
/// order. Dropping a writer blocks until it is idle; errors are discarded.
#[derive(Default)]
pub(crate) struct Writer {
    running: Option<(SyncSender<Job>, JoinHandle<()>)>,
    failed: Arc<Mutex<Option<CheckpointError>>>,
    /// The [entries](paths::entry) requested since the last [`finish`](Self::finish).
    handed_over: HashSet<PathBuf>,
}

/// Whether a checkpoint has been written.
#[derive(Debug)]
pub(crate) struct IsWritten(Arc<AtomicBool>);

impl IsWritten {
    /// Returns the status of a checkpoint that has been written already.
    pub(crate) fn already() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

struct Job {
    path: PathBuf,
    work: Work,
}

type Work = Box<dyn FnOnce(&Path) -> Result<(), CheckpointError> + Send>;

impl Writer {
    /// Writes the checkpoint to `path`, then removes the outdated ones. Blocks while the queue is full.
    pub(crate) fn write(
        &mut self,
        snapshot: Snapshot,
        path: PathBuf,
        outdated: Vec<Outdated>,
    ) -> Result<IsWritten, CheckpointError> {
        let is_written = IsWritten(Arc::default());
        let written = Arc::clone(&is_written.0);
        self.hand_over(path, move |path| {
            snapshot.0.write(path)?;
            written.store(true, Ordering::Release);
            outdated.iter().try_for_each(Outdated::remove)
        })?;
        Ok(is_written)
    }

    /// Makes `path` a link to the checkpoint `target`, after that has been written, then removes the outdated ones.
    pub(crate) fn link(
        &mut self,
        path: PathBuf,
        target: PathBuf,
        outdated: Vec<Outdated>,
    ) -> Result<(), CheckpointError> {
        self.hand_over(path, move |path| {
            link(path, &target)?;
            outdated.iter().try_for_each(Outdated::remove)
        })
    }

    /// Whether a write to this [entry](paths::entry) may be pending.
    pub(crate) fn has(&self, entry: &Path) -> bool {
        self.handed_over.contains(entry)
    }

    /// Blocks until all requests are complete.
    pub(crate) fn finish(&mut self) -> Result<(), CheckpointError> {
        self.wait();
        self.handed_over.clear();
        self.report()
    }

    fn hand_over(
        &mut self,
        path: PathBuf,
        work: impl FnOnce(&Path) -> Result<(), CheckpointError> + Send + 'static,
    ) -> Result<(), CheckpointError> {
        self.report()?;
        if self.running.is_none() {
            let started = self.start();
            self.running = Some(started.map_err(|source| CheckpointError::Write { path: path.clone(), source })?);
        }
        self.handed_over.insert(paths::entry(&path));
        let job = Job { path, work: Box::new(work) };
        match self.running.as_ref().map(|(queue, _)| queue.send(job)) {
            Some(Err(refused)) => {
                self.running = None;
                Err(CheckpointError::Panicked {
                    path: refused.0.path,
                    reason: "the writer's thread has ended".to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    fn start(&self) -> io::Result<(SyncSender<Job>, JoinHandle<()>)> {
        let (queue, jobs) = sync_channel(WAITING);
        let failed = Arc::clone(&self.failed);
        let thread = thread::Builder::new().name("checkpoints".to_owned()).spawn(move || work_off(&jobs, &failed))?;
        Ok((queue, thread))
    }

    fn report(&self) -> Result<(), CheckpointError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    fn wait(&mut self) {
        if let Some((queue, thread)) = self.running.take() {
            drop(queue);
            // the thread catches the panics of its jobs
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.wait();
    }
}

fn work_off(jobs: &Receiver<Job>, failed: &Mutex<Option<CheckpointError>>) {
    for Job { path, work } in jobs {
        if failed.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            continue;
        }
        let outcome = panic::catch(|| Ok(work(&path)));
        let outcome =
            outcome.unwrap_or_else(|panic| Err(CheckpointError::Panicked { path, reason: panic.to_string() }));
        if let Err(error) = outcome {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc::{Sender, channel};

    fn checkpoint(value: i64) -> (Checkpoint, Tensor) {
        let tensor = Tensor::from_slice(&[value, value]);
        let mut checkpoint = Checkpoint::default();
        checkpoint.tensors.insert("module.weight".to_owned(), tensor.shallow_clone());
        (checkpoint, tensor)
    }

    fn snapshot(value: i64) -> Snapshot {
        checkpoint(value).0.snapshot().unwrap()
    }

    /// Blocks the writer until a message is sent.
    fn gate(writer: &mut Writer) -> Sender<()> {
        let (release, released) = channel();
        let wait = move |_: &Path| {
            released.recv().unwrap();
            Ok(())
        };
        writer.hand_over("gate".into(), wait).unwrap();
        release
    }

    fn saved(path: &Path) -> Vec<i64> {
        Vec::try_from(&Checkpoint::read(path).unwrap().tensors["module.weight"]).unwrap()
    }

    #[test]
    fn write_saves_the_state_at_the_time_of_the_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.ckpt");
        let mut writer = Writer::default();
        let release = gate(&mut writer);
        let (checkpoint, mut tensor) = checkpoint(1);
        writer.write(checkpoint.snapshot().unwrap(), path.clone(), Vec::new()).unwrap();
        let _ = tensor.fill_(2);
        release.send(()).unwrap();
        writer.finish().unwrap();
        assert_eq!(saved(&path), [1, 1]);
    }

    #[test]
    fn requests_are_completed_in_order_and_older_files_removed_after_a_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut writer = Writer::default();
        for step in 0..6 {
            let older = (step > 0).then(|| at(&format!("{}.ckpt", step - 1)));
            let newer = at(&format!("{step}.ckpt"));
            writer.write(snapshot(step), newer.clone(), Vec::new()).unwrap();
            let outdated = Outdated { newer: newer.clone(), older: older.into_iter().collect() };
            let gone = Outdated { newer: at("last.ckpt"), older: vec![at("gone already")] };
            writer.link(at("last.ckpt"), newer, vec![outdated, gone]).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(saved(&at("last.ckpt")), [5, 5]);
        assert_eq!(fs::read_link(at("last.ckpt")).unwrap(), Path::new("5.ckpt"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        // the writer can be used again
        writer.write(snapshot(6), at("6.ckpt"), Vec::new()).unwrap();
        drop(writer);
        assert_eq!(saved(&at("6.ckpt")), [6, 6]);
    }

    #[test]
    fn error_is_reported_once_and_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        let good = at("good.ckpt");
        let mut writer = Writer::default();
        writer.write(snapshot(1), good.clone(), Vec::new()).unwrap();
        let outdated = |newer: &str| vec![Outdated { newer: at(newer), older: vec![good.clone()] }];
        writer.write(snapshot(2), at("file/bad.ckpt"), outdated("file/bad.ckpt")).unwrap();
        let said = writer.finish().unwrap_err().to_string();
        let bad = at("file/bad.ckpt");
        assert_eq!(said, format!("cannot write the checkpoint {}: File exists (os error 17)", bad.display()));
        writer.finish().unwrap();
        assert_eq!(saved(&good), [1, 1]);

        writer.link(at("last.ckpt"), at("nowhere.ckpt"), outdated("last.ckpt")).unwrap();
        writer.wait();
        let said = writer.write(snapshot(3), at("three.ckpt"), Vec::new()).unwrap_err().to_string();
        assert_eq!(
            said,
            format!("cannot create the link {}: No such file or directory (os error 2)", at("last.ckpt").display())
        );
        assert!(at("last.ckpt").symlink_metadata().is_err());
        writer.write(snapshot(3), at("three.ckpt"), Vec::new()).unwrap();
        writer.finish().unwrap();
        assert_eq!((saved(&good), saved(&at("three.ckpt"))), (vec![1, 1], vec![3, 3]));
    }

    #[test]
    fn panic_is_an_error_of_its_file_and_later_requests_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("behind.ckpt");
        let mut writer = Writer::default();
        let (release, released) = channel::<()>();
        let panics = move |_: &Path| {
            released.recv().unwrap();
            panic!("out of luck")
        };
        writer.hand_over("one.ckpt".into(), panics).unwrap();
        writer.write(snapshot(1), path.clone(), Vec::new()).unwrap();
        release.send(()).unwrap();
        let said = writer.finish().unwrap_err().to_string();
        assert!(said.starts_with("cannot write the checkpoint one.ckpt: out of luck (panicked at "), "{said}");
        assert!(!path.exists());
    }

    #[test]
    fn requests_block_while_the_queue_is_full() {
        let mut writer = Writer::default();
        let release = gate(&mut writer);
        for _ in 0..WAITING {
            writer.hand_over("waits".into(), |_| Ok(())).unwrap();
        }
        // the gate may still be in the queue, so that the queue is full only after it has been taken
        let (told, tells) = channel();
        let late = thread::spawn(move || {
            for _ in 0..2 {
                writer.hand_over("late".into(), |_| Ok(())).unwrap();
            }
            told.send(()).unwrap();
            writer.finish().unwrap();
        });
        assert!(tells.recv_timeout(std::time::Duration::from_millis(200)).is_err());
        release.send(()).unwrap();
        tells.recv().unwrap();
        late.join().unwrap();
    }
}
