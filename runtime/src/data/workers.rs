//! Threads that read ahead.

use std::cell::Cell;
use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::options::Prefetch;
use super::reading_now::ReadingNow;
use super::source::{Plan, Source};
use super::{DataError, WorkerInfo};
use crate::signal::Caught;
use crate::{native, panic, terminal};

/// What a worker sends: a batch or why there is none, and `None` after its last.
type Reply<B> = Option<anyhow::Result<B>>;

/// A worker's part in an epoch. It is given up when nobody waits for the replies any more.
struct Job<P, B> {
    plan: Arc<P>,
    first_batch: usize,
    replies: SyncSender<Reply<B>>,
}

/// The threads of a loader. Dropped, it waits for them to end, but not for ever: a thread that is in a sample can't be ended.
pub(super) struct Pool<P, B> {
    workers: Vec<Worker<P, B>>,
    timeout: Option<Duration>,
    /// The signals that end waiting.
    caught: Option<Caught>,
}

struct Worker<P, B> {
    jobs: Sender<Job<P, B>>,
    thread: JoinHandle<()>,
    now: ReadingNow,
    /// Disconnected when the thread has let go of its dataset.
    end: Receiver<Infallible>,
}

/// The time after which a dropped pool leaves its threads alone, where there is no timeout. The same as in PyTorch.
const END: Duration = Duration::from_secs(5);

/// How long it waits once a signal was caught.
const END_AFTER_SIGNAL: Duration = Duration::from_millis(200);

/// How often a wait checks whether a signal was caught.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

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
        // those that were started before one could not be are ended as the pool is dropped
        let mut pool = Self { workers: Vec::with_capacity(num_workers), timeout, caught: None };
        for id in 0..num_workers {
            pool.workers.push(start(id)?);
        }
        Ok(pool)
    }
}

impl<P, B> Pool<P, B> {
    /// Ends waiting when one of these signals is caught.
    pub(super) fn watch(&mut self, caught: Option<Caught>) {
        self.caught = caught;
    }
}

/// Whether a signal was caught.
fn is_caught(caught: Option<&Caught>) -> bool {
    caught.is_some_and(|caught| caught.signal().is_some())
}

/// Waits for what `receiver` gives until `deadline`, or until a signal is caught: what it gave, or whether it timed out, and then
/// whether that was by a signal.
fn receive<T>(receiver: &Receiver<T>, deadline: Option<Instant>, caught: Option<&Caught>) -> Result<T, Ended> {
    loop {
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        let look = if caught.is_some() { BETWEEN_LOOKS } else { Duration::MAX };
        match receiver.recv_timeout(left.min(look)) {
            Ok(received) => return Ok(received),
            Err(RecvTimeoutError::Disconnected) => return Err(Ended::Disconnected),
            Err(RecvTimeoutError::Timeout) if is_caught(caught) => return Err(Ended::Caught),
            Err(RecvTimeoutError::Timeout) if left <= look => return Err(Ended::Timeout),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Disconnected,
    Timeout,
    Caught,
}

impl<P, B> Drop for Pool<P, B> {
    fn drop(&mut self) {
        let deadline = Instant::now().checked_add(self.timeout.unwrap_or(END));
        let workers: Vec<_> =
            self.workers.drain(..).map(|Worker { thread, now, end, .. }| (thread, now, end)).collect();
        // with their senders gone, all end at once
        for (worker, (thread, now, end)) in workers.into_iter().enumerate() {
            let mut ended = receive(&end, deadline, self.caught.as_ref());
            if ended == Err(Ended::Caught) {
                ended = receive(&end, Some(Instant::now() + END_AFTER_SIGNAL), None);
            }
            if ended == Err(Ended::Timeout) {
                // it ends by itself if it ever gets out of its sample
                if !is_caught(self.caught.as_ref()) {
                    let item = now.item();
                    terminal::say(&format!(
                        "warning: worker {worker} of a DataLoader is still reading {item}, and is left to itself"
                    ));
                }
                continue;
            }
            if let Err(panic) = thread.join() {
                // whoever waited for a batch was told; what the panic carries might panic again when it is dropped
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
        let now = ReadingNow::default();
        let of_thread = now.clone();
        let work = move || {
            // dropped after the dataset
            let _running: Sender<Infallible> = running;
            of_thread.is_of_this_thread();
            work(source, info, received);
        };
        let thread = Builder::new().name(format!("data-worker-{}", info.id)).spawn(work)?;
        Ok(Self { jobs, thread, now, end })
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

/// The batches of one epoch, worker by worker in turn.
pub(super) struct Round<'a, P, B> {
    /// Where the threads wait for the next epoch, if they live on.
    idle: &'a Cell<Option<Pool<P, B>>>,
    pool: Option<Pool<P, B>>,
    persistent_workers: bool,
    /// What each worker sends; `None` after its last batch.
    replies: Vec<Option<Receiver<Reply<B>>>>,
    turn: usize,
    /// The reply of the worker whose turn it is, where it was looked at before it was asked for.
    ahead: Option<Reply<B>>,
}

impl<'a, P: Plan, B> Round<'a, P, B> {
    /// Has the threads of `pool` read an epoch from `first_batch` on.
    pub(super) fn start(
        pool: Pool<P, B>,
        idle: &'a Cell<Option<Pool<P, B>>>,
        plan: &Arc<P>,
        first_batch: usize,
        prefetch: Prefetch,
    ) -> Result<Self, DataError> {
        let mut replies = Vec::with_capacity(pool.workers.len());
        for (id, worker) in pool.workers.iter().enumerate() {
            // one more batch is in the worker's hands
            let (sender, receiver) = sync_channel(prefetch.factor - 1);
            let job = Job { plan: Arc::clone(plan), first_batch, replies: sender };
            worker.jobs.send(job).map_err(|_| DataError::WorkerDied { worker: id })?;
            replies.push(Some(receiver));
        }
        let turn = first_batch % replies.len();
        let persistent_workers = prefetch.persistent_workers;
        Ok(Self { idle, pool: Some(pool), persistent_workers, replies, turn, ahead: None })
    }

    /// Whether the next batch is there already.
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

    /// What the worker sends whose turn it is, after those that have sent all they had.
    fn replies_in_turn(&mut self) -> Option<&Receiver<Reply<B>>> {
        let workers = self.replies.len();
        let turn = (0..workers).map(|step| (self.turn + step) % workers).find(|&id| self.replies[id].is_some())?;
        self.turn = turn;
        self.replies[turn].as_ref()
    }

    /// What a worker is reading.
    fn item(&self, worker: usize) -> String {
        self.pool.as_ref().and_then(|pool| pool.workers.get(worker)).map(|worker| worker.now.item()).unwrap_or_default()
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
                    // what would come next is not known any more, and the threads are of no use
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
        // a worker that waits to be rid of a batch must see that nobody wants it before its thread is waited for
        self.replies.clear();
        if let Some(pool) = self.pool.take().filter(|_| self.persistent_workers) {
            self.idle.set(Some(pool));
        }
    }
}
