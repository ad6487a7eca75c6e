//! Work on the threads of the pool, or on the caller's alone without the feature `rayon`.

#[cfg(feature = "rayon")]
use super::thread_pool;
#[cfg(feature = "rayon")]
pub(crate) use super::thread_pool::Session;

/// Without threads there is no session.
#[cfg(not(feature = "rayon"))]
#[derive(Debug)]
pub(crate) struct Session(());

#[cfg(not(feature = "rayon"))]
impl Session {
    pub(crate) fn new() -> Self {
        Session(())
    }
}

/// The number of threads.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "rayon")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "rayon"))]
    return 1;
}

/// Calls `work` with each of 0 to `tasks − 1`, at most `most` of them at once, each entirely on one thread. For whole
/// trainings, which then wait for no other thread.
pub(crate) fn each_alone(tasks: usize, most: usize, work: &(dyn Fn(usize) + Sync)) {
    #[cfg(feature = "rayon")]
    if most > 1 && tasks > 1 {
        return thread_pool::each_alone(tasks, most, work);
    }
    let _ = most;
    (0..tasks).for_each(work);
}

/// The same for work of a few microseconds, which wakes no thread unless such work is frequent.
pub(super) fn each_short(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    #[cfg(feature = "rayon")]
    thread_pool::each_short(tasks, work);
    #[cfg(not(feature = "rayon"))]
    (0..tasks).for_each(work);
}

/// Calls `work` with each of 0 to `tasks − 1`, on several threads if available.
pub(super) fn each(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    #[cfg(feature = "rayon")]
    thread_pool::each(tasks, work);
    #[cfg(not(feature = "rayon"))]
    (0..tasks).for_each(work);
}
