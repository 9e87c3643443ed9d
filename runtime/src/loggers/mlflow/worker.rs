//! The thread that sends the requests, so that a training step does not wait for the server.

use super::operation::{Operation, Start};
use super::server::{Refused, Server};
use crate::{messages, regular_file};
use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The time between two attempts to reach a server that did not answer: the first, and the longest.
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Longer than a run.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The identifier of the run, which the server gives it.
#[derive(Clone, Debug, Default)]
pub(super) struct RunId(Arc<Mutex<Option<String>>>);

impl RunId {
    pub(super) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, id: Option<&str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id.map(str::to_owned);
    }
}

/// The sending side of the thread.
#[derive(Debug)]
pub(super) struct Worker {
    operations: Sender<Message>,
    thread: JoinHandle<()>,
}

enum Message {
    Operation(Operation),
    /// The last one: what is not sent by then is kept.
    Finish(Instant),
}

impl Worker {
    /// Starts the thread. Operations that the server has not carried out are kept in `unsent`.
    pub(super) fn start(server: Server, unsent: PathBuf, run_id: RunId) -> io::Result<Self> {
        let (operations, receiver) = channel();
        let queue = Queue {
            server,
            unsent,
            run_id,
            operations: VecDeque::new(),
            begun: None,
            outage: None,
            deadline: None,
            warned: HashSet::new(),
        };
        let thread = thread::Builder::new().name("mlflow".to_owned()).spawn(move || queue.work(&receiver))?;
        Ok(Self { operations, thread })
    }

    pub(super) fn send(&self, operation: Operation) {
        // the thread does not end before `finish`
        let _ = self.operations.send(Message::Operation(operation));
    }

    /// Waits until everything is sent, or is kept after `patience`.
    pub(super) fn finish(self, patience: Duration) {
        let _ = self.operations.send(Message::Finish(Instant::now() + patience));
        let _ = self.thread.join();
    }
}

/// Operations in their order, and the server that is to carry them out.
struct Queue {
    server: Server,
    unsent: PathBuf,
    run_id: RunId,
    operations: VecDeque<Operation>,
    /// The beginning of the run, once it was carried out.
    begun: Option<Start>,
    outage: Option<Outage>,
    /// The end of the run, after which nothing is sent.
    deadline: Option<Instant>,
    /// The errors of operations that were printed: the next step would have the same.
    warned: HashSet<String>,
}

/// A time in which the server does not answer.
struct Outage {
    next_attempt: Instant,
    delay: Duration,
}

impl Queue {
    fn work(mut self, receiver: &Receiver<Message>) {
        loop {
            match self.wait(receiver) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                // the logger was dropped within a run
                Err(RecvTimeoutError::Disconnected) => self.take(Message::Finish(Instant::now())),
            }
            receiver.try_iter().for_each(|message| self.take(message));
            self.send();
            if self.is_done() {
                return self.end();
            }
        }
    }

    /// Waits for a message until the next attempt to reach the server.
    fn wait(&self, receiver: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match &self.outage {
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(outage) => receiver.recv_timeout(outage.next_attempt.saturating_duration_since(Instant::now())),
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Operation(operation) => self.push(operation),
            Message::Finish(deadline) => self.deadline = Some(deadline),
        }
    }

    /// Whether the run has ended, and everything is sent or no attempt is left before the deadline.
    fn is_done(&self) -> bool {
        self.deadline.is_some_and(|deadline| {
            let next = self.outage.as_ref().map_or_else(Instant::now, |outage| outage.next_attempt);
            self.operations.is_empty() || next >= deadline
        })
    }

    fn push(&mut self, operation: Operation) {
        if self.outage.is_some() {
            self.keep(&operation);
        }
        let rest = match self.operations.back_mut() {
            Some(last) => last.absorb(operation),
            None => Some(operation),
        };
        self.operations.extend(rest);
    }

    /// Sends the waiting operations until the deadline, unless an outage is not over.
    fn send(&mut self) {
        if self.outage.as_ref().is_some_and(|outage| Instant::now() < outage.next_attempt) {
            return;
        }
        while let Some(operation) = self.operations.front() {
            match self.server.carry_out(operation) {
                Ok(()) => self.run_id.set(self.server.run_id()),
                Err(Refused::Unreachable(reason)) => return self.is_unreachable(&reason),
                Err(error) if matches!(operation, Operation::Start(_)) => return self.is_refused(&error),
                Err(error) => self.warn_once(error.to_string()),
            }
            if let Some(Operation::Start(start)) = self.operations.pop_front() {
                self.begun = Some(start);
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return;
            }
            if self.outage.take().is_some() {
                messages::info!("the MLflow server answers again");
            }
        }
        if self.outage.is_none() {
            let _ = fs::remove_file(&self.unsent);
        }
    }

    fn is_unreachable(&mut self, reason: &str) {
        let delay = match &self.outage {
            Some(outage) => (outage.delay * 2).min(LONGEST_DELAY),
            None => {
                messages::warning!(
                    "the MLflow server cannot be reached ({reason}); the run continues, and what it logs is sent when the server answers"
                );
                self.keep_all();
                FIRST_DELAY
            }
        };
        self.outage = Some(Outage { next_attempt: Instant::now() + delay, delay });
    }

    /// Stops sending: without a run on the server, every other operation would be refused as well.
    fn is_refused(&mut self, error: &Refused) {
        messages::warning!("the run is not logged to MLflow: {error}");
        self.keep_all();
        self.outage = Some(Outage { next_attempt: Instant::now() + NEVER, delay: NEVER });
    }

    fn warn_once(&mut self, error: String) {
        if !self.warned.contains(&error) {
            messages::warning!("MLflow: {error}");
            self.warned.insert(error);
        }
    }

    fn end(mut self) {
        if self.operations.is_empty() {
            return;
        }
        self.keep_all();
        messages::warning!(
            "what the MLflow server did not get is kept in {}: `MlflowLogger::send_unsent` sends it",
            self.unsent.display()
        );
    }

    /// Writes all operations that wait.
    fn keep_all(&mut self) {
        let mut lines = Vec::new();
        // what is kept begins with the run that it belongs to
        let begun = self.begun.as_ref().map(|start| Operation::Start(Start { continues: true, ..start.clone() }));
        for operation in begun.iter().chain(&self.operations) {
            lines.extend(line(operation));
        }
        self.warn_if_lost(fs::write(&self.unsent, lines));
    }

    fn keep(&self, operation: &Operation) {
        let append = || File::options().append(true).create(true).open(&self.unsent)?.write_all(&line(operation));
        self.warn_if_lost(append());
    }

    fn warn_if_lost(&self, written: io::Result<()>) {
        if let Err(error) = written {
            messages::warning!(
                "what the MLflow server did not get cannot be kept in {}: {error}",
                self.unsent.display()
            );
        }
    }
}

fn line(operation: &Operation) -> Vec<u8> {
    let mut line = serde_json::to_vec(operation).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Sends the operations that were kept in a file, and removes it.
pub(super) fn send_unsent(mut server: Server, file: &Path) -> anyhow::Result<()> {
    let text = regular_file::read_to_string(file)?;
    for line in text.lines() {
        server.carry_out(&serde_json::from_str(line)?)?;
    }
    Ok(fs::remove_file(file)?)
}
