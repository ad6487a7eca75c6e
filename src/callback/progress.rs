//! Training progress: a bar on a terminal, one line per epoch elsewhere.

mod line;

use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(feature = "progress")]
use std::time::Duration;
use std::time::Instant;

use self::line::ProgressLine;
#[cfg(feature = "progress")]
use super::screen::screen;
use super::terminal::print_line;
use super::{Callback, CallbackContext, Flow, Verbose};
use crate::error::Result;
use crate::scalar::Scalar;

/// The trainings of this process that show progress.
static RUNNING: Mutex<Running> = Mutex::new(Running { now: 0, last: 0 });

struct Running {
    now: usize,
    /// The last assigned number; numbering restarts at 1 once no training is running.
    last: usize,
}

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of a training among those that run at once.
#[derive(Debug)]
struct ProgressSlot {
    number: usize,
    /// Whether it ever was not alone.
    shared: bool,
}

impl ProgressSlot {
    fn new() -> Self {
        let mut running = running();
        running.last = if running.now == 0 { 1 } else { running.last + 1 };
        running.now += 1;
        ProgressSlot { number: running.last, shared: false }
    }

    /// The number of the training, if there are several.
    fn number(&mut self) -> Option<usize> {
        self.shared |= self.number > 1 || running().now > 1;
        self.shared.then_some(self.number)
    }
}

impl Drop for ProgressSlot {
    fn drop(&mut self) {
        running().now -= 1;
    }
}

/// The callback that `fit` adds to show progress; see [`Verbose`].
///
/// # Example
/// ```
/// use cornu::callback::{Progress, Verbose};
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let progress = Progress::new(Verbose::Lines);
/// let history = model.fit(&x, &x, &Fit::new().callback(progress).verbose(Verbose::Silent))?;
/// assert_eq!(history.epochs().len(), 1);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct Progress {
    style: Style,
    started: Instant,
    /// During training.
    place: Option<ProgressSlot>,
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
    /// Creates the callback with this verbosity.
    pub fn new(verbose: Verbose) -> Self {
        let style = match verbose {
            Verbose::Silent => Style::Silent,
            #[cfg(feature = "progress")]
            Verbose::Auto if super::screen::has_bar() => Style::Bar,
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

    /// Prints the position at which a training resumes from a backup.
    pub(crate) fn go_on<F: Scalar>(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        if self.style == Style::Silent {
            return Ok(());
        }
        if at.batch == 0 {
            print_line(format_args!("Resuming from a backup made after epoch {}", at.epoch));
            return Ok(());
        }
        let (epoch, batch) = (at.epoch + 1, at.batch);
        print_line(format_args!(
            "Resuming from a backup made in epoch {epoch}, after batch {batch} of {}",
            at.batches
        ));
        self.on_epoch_begin(at)
    }

    /// Removes the bar, so that other output starts on an empty line.
    pub(crate) fn clear(&mut self) {
        #[cfg(feature = "progress")]
        if let (Style::Bar, Some(place)) = (self.style, &self.place) {
            screen().hide(place.number);
        }
    }

    fn line<'a, F: Scalar>(&mut self, at: &'a CallbackContext<F>) -> ProgressLine<'a> {
        ProgressLine {
            number: self.place.as_mut().and_then(ProgressSlot::number),
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
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        self.place = (self.style != Style::Silent).then(ProgressSlot::new);
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
        // The text is not formatted more often than it is drawn.
        #[cfg(feature = "progress")]
        if self.style == Style::Bar && self.drawn.elapsed() > Duration::from_millis(100) {
            self.drawn = Instant::now();
            let line = self.line(at).running(width());
            if let Some(place) = &self.place {
                screen().show(place.number, line);
            }
        }
        let _ = at;
        Ok(Flow::Continue)
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.clear();
        match self.style {
            Style::Silent => {}
            Style::Lines => print_line(self.line(at).finished(usize::MAX)),
            #[cfg(feature = "progress")]
            Style::Bar => print_line(self.line(at).finished(width())),
        }
        Ok(Flow::Continue)
    }

    fn on_fit_end(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        self.clear();
        self.place = None;
        Ok(())
    }
}
