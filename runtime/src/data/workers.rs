//! Threads that read ahead.

use std::cell::Cell;
use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::options::Prefetch;
use super::source::{Plan, Source};
use super::{DataError, WorkerInfo};
use crate::{native, panic};

/// What a worker sends: a batch or why there is none, and `None` after its last.
type Reply<B> = Option<anyhow::Result<B>>;

/// A worker's part in an epoch. It is given up when nobody waits for the replies any more.
struct Job<P, B> {
    plan: Arc<P>,
    first_batch: usize,
    replies: SyncSender<Reply<B>>,
}

/// The threads of a loader. Dropped, it waits for them to end, for as long as the loader's timeout says.
pub(super) struct Pool<P, B> {
    workers: Vec<Worker<P, B>>,
    timeout: Option<Duration>,
}

struct Worker<P, B> {
    jobs: Sender<Job<P, B>>,
    thread: JoinHandle<()>,
    /// Disconnected when the thread has let go of its dataset.
    end: Receiver<Infallible>,
}

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
        let mut pool = Self { workers: Vec::with_capacity(num_workers), timeout };
        for id in 0..num_workers {
            pool.workers.push(start(id)?);
        }
        Ok(pool)
    }
}

impl<P, B> Drop for Pool<P, B> {
    fn drop(&mut self) {
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let (ends, threads): (Vec<_>, Vec<_>) =
            self.workers.drain(..).map(|worker| (worker.end, worker.thread)).unzip();
        // with their senders gone, all end at once
        for (end, thread) in ends.into_iter().zip(threads) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| end.recv_timeout(left) == Err(RecvTimeoutError::Timeout)) {
                // it is still in a sample, and ends by itself if it ever gets out of it
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
        let work = move || {
            // dropped after the dataset
            let _running: Sender<Infallible> = running;
            work(source, info, received);
        };
        let thread = Builder::new().name(format!("data-worker-{}", info.id)).spawn(work)?;
        Ok(Self { jobs, thread, end })
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

    fn receive(&mut self) -> Option<Result<Reply<B>, DataError>> {
        if let Some(reply) = self.ahead.take() {
            return Some(Ok(reply));
        }
        let timeout = self.pool.as_ref()?.timeout;
        let replies = self.replies_in_turn()?;
        let reply = match timeout {
            Some(timeout) => replies.recv_timeout(timeout),
            None => replies.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let worker = self.turn;
        Some(reply.map_err(|error| match (error, timeout) {
            (RecvTimeoutError::Timeout, Some(timeout)) => DataError::Timeout { worker, timeout },
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
