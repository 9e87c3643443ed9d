//! The worker threads, which read batches ahead.

use std::cell::Cell;
use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::current_item::CurrentItem;
use super::options::Prefetch;
use super::plan::Plan;
use super::source::Source;
use super::{DataError, WorkerInfo};
use crate::signal::Caught;
use crate::{messages, native, panic};

/// The message of a worker: a batch or its error, and `None` after the last one.
type Reply<B> = Option<anyhow::Result<B>>;

/// A worker's part in an epoch. The worker gives it up when the receiver of the replies is dropped.
struct Job<P, B> {
    plan: Arc<P>,
    first_batch: usize,
    replies: SyncSender<Reply<B>>,
}

/// The threads of a loader. `drop` waits for them for a limited time: a thread that is reading a sample cannot be ended.
pub(super) struct Pool<P, B> {
    workers: Vec<Worker<P, B>>,
    timeout: Option<Duration>,
    /// The signals that end a wait.
    caught: Option<Caught>,
}

struct Worker<P, B> {
    jobs: Sender<Job<P, B>>,
    thread: JoinHandle<()>,
    current_item: CurrentItem,
    /// Disconnected when the thread has dropped its dataset.
    end: Receiver<Infallible>,
}

/// The time for which `drop` waits for the threads if there is no timeout. The same as in PyTorch.
const END: Duration = Duration::from_secs(5);

/// The time for which `drop` waits after a signal has been caught.
const END_AFTER_SIGNAL: Duration = Duration::from_millis(200);

/// The interval at which a wait checks for a signal.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

impl<P: Plan, B: Send + 'static> Pool<P, B> {
    /// Starts the threads, each with a clone of `source`.
    pub(super) fn start<Style, S>(source: &S, num_workers: usize, timeout: Option<Duration>) -> Result<Self, DataError>
    where
        S: Source<Style, Batch = B, Plan = P> + Clone + Send + 'static,
    {
        let start = |id| {
            let worker = panic::catch(|| Ok(Worker::start(source.clone(), WorkerInfo { id, num_workers })?));
            worker.map_err(|source| DataError::WorkerStart { worker: id, source })
        };
        // if one cannot be started, dropping the pool ends those before it
        let mut pool = Self { workers: Vec::with_capacity(num_workers), timeout, caught: None };
        for id in 0..num_workers {
            pool.workers.push(start(id)?);
        }
        Ok(pool)
    }
}

impl<P, B> Pool<P, B> {
    /// Sets the signals that end a wait.
    pub(super) fn watch(&mut self, caught: Option<Caught>) {
        self.caught = caught;
    }
}

/// Whether a signal was caught.
fn is_caught(caught: Option<&Caught>) -> bool {
    caught.is_some_and(|caught| caught.signal().is_some())
}

/// Waits for a message of `receiver` until `deadline` or until a signal is caught.
fn receive<T>(receiver: &Receiver<T>, deadline: Option<Instant>, caught: Option<&Caught>) -> Result<T, Ended> {
    loop {
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        let look = if caught.is_some() { POLL_INTERVAL } else { Duration::MAX };
        match receiver.recv_timeout(left.min(look)) {
            Ok(received) => return Ok(received),
            Err(RecvTimeoutError::Disconnected) => return Err(Ended::Disconnected),
            Err(RecvTimeoutError::Timeout) if is_caught(caught) => return Err(Ended::Caught),
            Err(RecvTimeoutError::Timeout) if left <= look => return Err(Ended::Timeout),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// The reason why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Disconnected,
    Timeout,
    Caught,
}

impl<P, B> Drop for Pool<P, B> {
    fn drop(&mut self) {
        let deadline = Instant::now().checked_add(self.timeout.unwrap_or(END));
        let workers: Vec<_> = self
            .workers
            .drain(..)
            .map(|Worker { thread, current_item, end, .. }| (thread, current_item, end))
            .collect();
        // all threads end, as their senders have been dropped
        for (worker, (thread, current_item, end)) in workers.into_iter().enumerate() {
            let mut ended = receive(&end, deadline, self.caught.as_ref());
            if ended == Err(Ended::Caught) {
                ended = receive(&end, Some(Instant::now() + END_AFTER_SIGNAL), None);
            }
            if ended == Err(Ended::Timeout) {
                // the thread ends when it has read its sample
                if !is_caught(self.caught.as_ref()) {
                    let item = current_item.describe();
                    messages::warning!(
                        "worker {worker} of a DataLoader is still reading {item}; its thread is abandoned"
                    );
                }
                continue;
            }
            if let Err(panic) = thread.join() {
                // the receiver got `WorkerDied`; the payload of the panic might panic again in its `drop`
                mem::forget(panic);
            }
        }
    }
}

impl<P: Plan, B: Send + 'static> Worker<P, B> {
    fn start<Style, S>(source: S, info: WorkerInfo) -> std::io::Result<Self>
    where
        S: Source<Style, Batch = B, Plan = P> + Send + 'static,
    {
        let (jobs, received) = channel();
        let (running, end) = channel();
        let current_item = CurrentItem::default();
        let of_thread = current_item.clone();
        let work = move || {
            // dropped after the dataset
            let _running: Sender<Infallible> = running;
            of_thread.attach_to_this_thread();
            work(source, info, received);
        };
        let thread = Builder::new().name(format!("data-worker-{}", info.id)).spawn(work)?;
        Ok(Self { jobs, thread, current_item, end })
    }
}

fn work<Style, S: Source<Style>>(source: S, info: WorkerInfo, jobs: Receiver<Job<S::Plan, S::Batch>>) {
    native::use_one_intraop_thread();
    for Job { plan, first_batch, replies } in jobs {
        let batches = source.share(plan, first_batch, info).map(Some);
        for reply in batches.chain([None]) {
            if replies.send(reply).is_err() {
                break;
            }
        }
    }
}

/// An iterator over the batches of one epoch, from the workers in turn.
pub(super) struct Round<'a, P, B> {
    /// The loader's storage for the threads between two epochs, if they are persistent.
    idle: &'a Cell<Option<Pool<P, B>>>,
    pool: Option<Pool<P, B>>,
    persistent_workers: bool,
    /// The replies of each worker; `None` after its last batch.
    replies: Vec<Option<Receiver<Reply<B>>>>,
    turn: usize,
    /// The next reply, if it was received before it was requested.
    ahead: Option<Reply<B>>,
}

impl<'a, P: Plan, B> Round<'a, P, B> {
    /// Starts reading an epoch by the threads of `pool`, from `first_batch` on.
    pub(super) fn start(
        pool: Pool<P, B>,
        idle: &'a Cell<Option<Pool<P, B>>>,
        plan: &Arc<P>,
        first_batch: usize,
        prefetch: Prefetch,
    ) -> Result<Self, DataError> {
        let mut replies = Vec::with_capacity(pool.workers.len());
        for (id, worker) in pool.workers.iter().enumerate() {
            // the worker itself holds one more batch
            let (sender, receiver) = sync_channel(prefetch.factor - 1);
            let job = Job { plan: Arc::clone(plan), first_batch, replies: sender };
            worker.jobs.send(job).map_err(|_| DataError::WorkerDied { worker: id })?;
            replies.push(Some(receiver));
        }
        let turn = first_batch % replies.len();
        let persistent_workers = prefetch.persistent_workers;
        Ok(Self { idle, pool: Some(pool), persistent_workers, replies, turn, ahead: None })
    }

    /// Whether the next batch has arrived.
    pub(super) fn is_ready(&mut self) -> bool {
        while self.ahead.is_none() {
            let Some(replies) = self.replies_in_turn() else { return false };
            match replies.try_recv() {
                Ok(Some(batch)) => self.ahead = Some(Some(batch)),
                Ok(None) => self.replies[self.turn] = None,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    /// The replies of the next worker that has batches left.
    fn replies_in_turn(&mut self) -> Option<&Receiver<Reply<B>>> {
        let workers = self.replies.len();
        let turn = (0..workers).map(|step| (self.turn + step) % workers).find(|&id| self.replies[id].is_some())?;
        self.turn = turn;
        self.replies[turn].as_ref()
    }

    /// Describes the item that a worker is reading.
    fn item(&self, worker: usize) -> String {
        self.pool
            .as_ref()
            .and_then(|pool| pool.workers.get(worker))
            .map(|worker| worker.current_item.describe())
            .unwrap_or_default()
    }

    fn receive(&mut self) -> Option<Result<Reply<B>, DataError>> {
        if let Some(reply) = self.ahead.take() {
            return Some(Ok(reply));
        }
        let Pool { timeout, caught, .. } = self.pool.as_ref()?;
        let (timeout, caught) = (*timeout, caught.clone());
        let replies = self.replies_in_turn()?;
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let reply = receive(replies, deadline, caught.as_ref());
        let worker = self.turn;
        Some(reply.map_err(|ended| match (ended, timeout) {
            (Ended::Timeout, Some(timeout)) => DataError::Timeout { worker, timeout },
            (Ended::Caught, _) => DataError::Interrupted { worker, item: self.item(worker) },
            _ => DataError::WorkerDied { worker },
        }))
    }
}

impl<P: Plan, B> Iterator for Round<'_, P, B> {
    type Item = anyhow::Result<B>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.receive()? {
                Ok(Some(batch)) => {
                    self.turn = (self.turn + 1) % self.replies.len();
                    return Some(batch);
                }
                Ok(None) => self.replies[self.turn] = None,
                Err(error) => {
                    // the order of the remaining batches is lost, so the threads are of no use
                    self.replies.clear();
                    self.pool = None;
                    return Some(Err(error.into()));
                }
            }
        }
    }
}

impl<P, B> Drop for Round<'_, P, B> {
    fn drop(&mut self) {
        // before the pool is dropped, as a worker that blocks on sending a batch would not end
        self.replies.clear();
        if let Some(pool) = self.pool.take().filter(|_| self.persistent_workers) {
            self.idle.set(Some(pool));
        }
    }
}
