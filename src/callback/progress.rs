//! What a person sees while a model trains: a bar on a terminal, a line an epoch elsewhere.

mod line;
#[cfg(feature = "progress")]
mod screen;

use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(feature = "progress")]
use std::time::Duration;
use std::time::Instant;

use self::line::Line;
use super::terminal::say;
use super::{Callback, CallbackContext, Flow};
use crate::error::Result;
use crate::scalar::Scalar;

/// How much `fit` tells while it runs.
///
/// Each epoch leaves one line, `Epoch 2/10 - 1s 3ms/step - loss: 0.2114 - accuracy: 0.9312`; on a terminal it goes on below
/// where it is wider than that. While an epoch runs for longer than 0.1 s, a terminal shows below that line how far it is:
/// the epoch and the loss, and, as the columns allow, the batch, a bar, the time that is left, the metrics and the pace. Of
/// several trainings at once each has a number, its lines and its own bar.
///
/// Bars have no colour. There is none in a pipe, a file or the log of a CI (where `CI` is set), nor where `TERM` is `dumb`;
/// what is written there has no control characters.
///
/// # Example
/// ```
/// # use cornu::prelude::*;
/// let quiet = Fit::<f32>::new().verbose(Verbose::Silent);
/// # let _ = quiet;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verbose {
    /// A bar on a terminal, and one line an epoch.
    #[default]
    Auto,
    /// Nothing.
    Silent,
    /// One line an epoch.
    Lines,
}

/// The trainings that tell how far they are, of this process.
static RUNNING: Mutex<Running> = Mutex::new(Running { now: 0, last: 0 });

struct Running {
    now: usize,
    /// The last number that was given; from 1 again once none is running.
    last: usize,
}

#[cfg(feature = "progress")]
static SCREEN: Mutex<screen::Screen> = Mutex::new(screen::Screen::stdout());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has something written, above the bars where there are any.
pub(super) fn above(write: impl FnOnce()) {
    #[cfg(feature = "progress")]
    lock(&SCREEN).above(write);
    #[cfg(not(feature = "progress"))]
    write();
}

/// The place of a training among those that run at once.
#[derive(Debug)]
struct Place {
    number: usize,
    /// Whether it ever was not alone.
    shared: bool,
}

impl Place {
    fn new() -> Self {
        let mut running = lock(&RUNNING);
        running.last = if running.now == 0 { 1 } else { running.last + 1 };
        running.now += 1;
        Place { number: running.last, shared: false }
    }

    /// The number, once there are others.
    fn number(&mut self) -> Option<usize> {
        self.shared |= self.number > 1 || lock(&RUNNING).now > 1;
        self.shared.then_some(self.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&RUNNING).now -= 1;
    }
}

/// The callback that `fit` adds by itself to show how far it is; see [`Verbose`].
///
/// # Example
/// ```
/// use cornu::callback::{Progress, Verbose};
/// let progress = Progress::new(Verbose::Silent);
/// # let _ = progress;
/// ```
#[derive(Debug)]
pub struct Progress {
    style: Style,
    started: Instant,
    /// While it trains.
    place: Option<Place>,
    #[cfg(feature = "progress")]
    drawn: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    Silent,
    Lines,
    #[cfg(feature = "progress")]
    Bar,
}

impl Progress {
    /// Progress in this style.
    pub fn new(verbose: Verbose) -> Self {
        let style = match verbose {
            Verbose::Silent => Style::Silent,
            #[cfg(feature = "progress")]
            Verbose::Auto if super::terminal::has_bar() => Style::Bar,
            _ => Style::Lines,
        };
        let now = Instant::now();
        Progress {
            style,
            started: now,
            place: None,
            #[cfg(feature = "progress")]
            drawn: now,
        }
    }

    /// Says where a training goes on from a backup.
    pub(crate) fn go_on<F: Scalar>(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        if self.style == Style::Silent {
            return Ok(());
        }
        if at.batch == 0 {
            say(format_args!("Going on from a backup made after epoch {}", at.epoch));
            return Ok(());
        }
        let (epoch, batch) = (at.epoch + 1, at.batch);
        say(format_args!(
            "Going on from a backup made in epoch {epoch}, after batch {batch} of {}",
            at.batches
        ));
        self.on_epoch_begin(at)
    }

    /// Takes the bar away, so that what is printed meets an empty line.
    pub(crate) fn clear(&mut self) {
        #[cfg(feature = "progress")]
        if let (Style::Bar, Some(place)) = (self.style, &self.place) {
            lock(&SCREEN).hide(place.number);
        }
    }

    fn line<'a, F: Scalar>(&mut self, at: &'a CallbackContext<F>) -> Line<'a> {
        Line {
            number: self.place.as_mut().and_then(Place::number),
            epoch: (at.epoch + 1, at.epochs),
            batch: (at.batch, at.batches),
            elapsed: self.started.elapsed(),
            logs: at.logs,
        }
    }
}

/// A training that ends in an error leaves no bar.
impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(feature = "progress")]
fn width() -> usize {
    usize::from(console::Term::stdout().size().1)
}

impl<F: Scalar> Callback<F> for Progress {
    fn on_fit_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        self.place = (self.style != Style::Silent).then(Place::new);
        Ok(())
    }

    fn on_epoch_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        self.started = Instant::now();
        #[cfg(feature = "progress")]
        {
            self.drawn = self.started;
        }
        Ok(())
    }

    fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        // The text is made no oftener than it is drawn.
        #[cfg(feature = "progress")]
        if self.style == Style::Bar && self.drawn.elapsed() > Duration::from_millis(100) {
            self.drawn = Instant::now();
            let line = self.line(at).running(width());
            if let Some(place) = &self.place {
                lock(&SCREEN).show(place.number, line);
            }
        }
        let _ = at;
        Ok(Flow::Continue)
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.clear();
        match self.style {
            Style::Silent => {}
            Style::Lines => say(self.line(at).finished(usize::MAX)),
            #[cfg(feature = "progress")]
            Style::Bar => say(self.line(at).finished(width())),
        }
        Ok(Flow::Continue)
    }

    fn on_fit_end(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        self.clear();
        self.place = None;
        Ok(())
    }
}
