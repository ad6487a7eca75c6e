//! Threads: the caller, and helpers from rayon's pool that stay as long as there is work.
//!
//! A training step has many short products. A helper that has finished one therefore polls for the next for a while before
//! it returns to its pool. Passing it work then takes well under a microsecond and allocates nothing. If no helper comes,
//! the caller does all work itself.

use std::cell::OnceCell;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a helper polls for work before it returns to its pool.
const PATIENCE: Duration = Duration::from_micros(500);
/// The same during a [`Session`].
const LONG_PATIENCE: Duration = Duration::from_millis(50);

/// The bit of the gate that is set while a job may be joined. Higher bits count jobs, lower bits the helpers in the job.
const OPEN: u64 = 1 << 32;
const JOB: u64 = 1 << 33;

/// The most sections of a job.
const SECTIONS: usize = 16;

/// A counter on its own cache line.
#[derive(Default)]
#[repr(align(64))]
struct Counter(AtomicUsize);

/// A job: calls `work` with 0 to `tasks − 1`. Each thread starts in its own section, the same one in every job, so that
/// its data is still in its cache; then it helps in the other sections.
struct Job<'a> {
    work: &'a (dyn Fn(usize) + Sync),
    tasks: usize,
    sections: usize,
    next: [Counter; SECTIONS],
}

/// The state shared by a caller and its helpers.
struct ThreadPool {
    gate: AtomicU64,
    /// The job, while the gate is open or a helper is in it.
    job: AtomicPtr<()>,
    helpers: AtomicUsize,
    /// One bit for each number in use by a helper.
    taken: AtomicU64,
    /// Whether more work is certain to come.
    session: AtomicBool,
    /// Whether the thread of the caller has ended.
    closed: AtomicBool,
    panicked: AtomicBool,
}

impl Job<'_> {
    /// Works as thread `id` until no task is left.
    fn run(&self, id: usize) {
        for section in (id..id + self.sections).map(|section| section % self.sections) {
            let end = (section + 1) * self.tasks / self.sections;
            loop {
                let task = section * self.tasks / self.sections
                    + self.next[section].0.fetch_add(1, Ordering::Relaxed);
                if task >= end {
                    break;
                }
                (self.work)(task);
            }
        }
    }
}

/// Counts a helper out of its job, also if the work panics.
struct Leave<'a>(&'a ThreadPool);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.panicked.store(true, Ordering::Relaxed);
        }
        self.0.gate.fetch_sub(1, Ordering::Release);
    }
}

impl ThreadPool {
    /// The smallest free number from 1; `None` if there are too many helpers.
    fn take_number(&self) -> Option<usize> {
        let mut taken = self.taken.load(Ordering::Relaxed);
        while taken != u64::MAX {
            let free = taken.trailing_ones();
            match self.taken.compare_exchange_weak(
                taken,
                taken | 1 << free,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(free as usize + 1),
                Err(now) => taken = now,
            }
        }
        None
    }

    fn give_back(&self, number: usize) {
        self.taken.fetch_and(!(1 << (number - 1)), Ordering::Relaxed);
    }

    /// Polls for jobs and helps with each as thread `id`, until none has come for a while.
    fn help(&self, id: usize) {
        let (mut seen, mut posted) = (0, 0);
        let mut idle = Instant::now();
        let mut spins = 0u32;
        while !self.closed.load(Ordering::Relaxed) {
            let gate = self.gate.load(Ordering::Acquire);
            let joined = gate & OPEN != 0
                && gate / JOB != seen
                && self.gate.compare_exchange(gate, gate + 1, Ordering::Acquire, Ordering::Relaxed).is_ok();
            if joined {
                let leave = Leave(self);
                let busy = BUSY.replace(true);
                seen = gate / JOB;
                // SAFETY: the caller set the job before it opened the gate, and keeps it alive until no helper
                // is counted in the gate, in which this one is counted until `leave` is dropped.
                unsafe { (*self.job.load(Ordering::Relaxed).cast_const().cast::<Job>()).run(id) };
                BUSY.set(busy);
                drop(leave);
                idle = Instant::now();
                spins = 0;
            } else {
                spins += 1;
                std::hint::spin_loop();
                if spins.is_multiple_of(256) {
                    // A job that ended before this thread joined counts as work.
                    if gate / JOB != posted {
                        (posted, idle) = (gate / JOB, Instant::now());
                    }
                    let patience =
                        if self.session.load(Ordering::Relaxed) { LONG_PATIENCE } else { PATIENCE };
                    if idle.elapsed() > patience {
                        return;
                    }
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Runs the job with all helpers that come.
    fn run(self: &Arc<Self>, tasks: usize, work: &(dyn Fn(usize) + Sync)) {
        let wanted = (rayon::current_num_threads() - 1).min(tasks - 1);
        for _ in self.helpers.load(Ordering::Relaxed)..wanted {
            self.helpers.fetch_add(1, Ordering::Relaxed);
            let pool = Arc::clone(self);
            rayon::spawn(move || {
                let number = pool.take_number();
                // Without a number of its own, it starts where the one after the last would.
                pool.help(number.unwrap_or(u64::BITS as usize + 1));
                number.into_iter().for_each(|number| pool.give_back(number));
                pool.helpers.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let sections = rayon::current_num_threads().min(tasks).min(SECTIONS);
        let job = Job { work, tasks, sections, next: Default::default() };
        self.job.store((&raw const job).cast_mut().cast(), Ordering::Relaxed);
        self.gate.fetch_add(JOB | OPEN, Ordering::Release);
        let close = Close(self);
        job.run(0);
        drop(close);
        assert!(!self.panicked.swap(false, Ordering::Relaxed), "a helper's part of a product failed");
    }
}

/// Closes the gate and waits for the helpers in the job, also if the work panics.
struct Close<'a>(&'a ThreadPool);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.gate.fetch_and(!OPEN, Ordering::Relaxed);
        let mut spins = 0u32;
        while !self.0.gate.load(Ordering::Acquire).is_multiple_of(OPEN) {
            spins += 1;
            std::hint::spin_loop();
            if spins.is_multiple_of(1024) {
                std::thread::yield_now();
            }
        }
        self.0.job.store(null::<()>().cast_mut(), Ordering::Relaxed);
    }
}

/// The helpers of a thread, which leave when the thread ends.
struct OwnedPool(Arc<ThreadPool>);

impl Drop for OwnedPool {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }
}

thread_local! {
    static POOL: OnceCell<OwnedPool> = const { OnceCell::new() };
    /// Whether this thread is already in a job, so that it works alone.
    static BUSY: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Calls `work` with each of 0 to `tasks − 1`, on as many threads as rayon's current pool has.
pub(super) fn each(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    if tasks <= 1 || rayon::current_num_threads() <= 1 || BUSY.get() {
        return (0..tasks).for_each(work);
    }
    BUSY.set(true);
    let free = Free;
    with_pool(|pool| pool.run(tasks, work));
    drop(free);
}

/// The same for work of a few microseconds: with helpers that are already polling, or if such work is so frequent that
/// waking one pays off.
pub(super) fn each_short(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    thread_local! {
        static LAST: std::cell::Cell<Option<Instant>> = const { std::cell::Cell::new(None) };
    }
    if with_pool(|pool| pool.helpers.load(Ordering::Relaxed)) == 0 {
        let now = Instant::now();
        let often = LAST.replace(Some(now)).is_some_and(|last| now.duration_since(last) < PATIENCE / 5);
        if !often {
            return (0..tasks).for_each(work);
        }
    }
    each(tasks, work);
}

/// Calls `work` with each of 0 to `tasks − 1` in order, at most `most` of them at once, each on one thread of the pool that
/// uses no helpers.
pub(super) fn each_alone(tasks: usize, most: usize, work: &(dyn Fn(usize) + Sync)) {
    if rayon::current_num_threads() <= 1 || BUSY.get() {
        return (0..tasks).for_each(work);
    }
    let next = AtomicUsize::new(0);
    let some = || {
        BUSY.set(true);
        let free = Free;
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            work(task);
        }
        drop(free);
    };
    rayon::scope(|scope| (0..most.min(tasks)).for_each(|_| scope.spawn(|_| some())));
}

/// The pool of this thread.
fn with_pool<R>(f: impl FnOnce(&Arc<ThreadPool>) -> R) -> R {
    POOL.with(|owned| {
        let new = || ThreadPool {
            gate: AtomicU64::new(0),
            job: AtomicPtr::default(),
            helpers: AtomicUsize::new(0),
            taken: AtomicU64::new(0),
            session: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        };
        f(&owned.get_or_init(|| OwnedPool(Arc::new(new()))).0)
    })
}

/// During a session, helpers wait longer for the next work: for a training, whose steps follow one another.
#[derive(Debug)]
pub(crate) struct Session(());

impl Session {
    pub(crate) fn new() -> Self {
        with_pool(|pool| pool.session.store(true, Ordering::Relaxed));
        Session(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        with_pool(|pool| pool.session.store(false, Ordering::Relaxed));
    }
}

struct Free;

impl Drop for Free {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}
