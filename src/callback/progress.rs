//! What a person sees while a model trains: a bar on a terminal, a line an epoch elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::{Callback, Flow, Moment};
use crate::error::Result;
use crate::scalar::Scalar;

/// How much `fit` tells while it runs.
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
    /// A bar on a terminal, one line an epoch elsewhere.
    #[default]
    Auto,
    /// Nothing.
    Silent,
    /// One line an epoch.
    Lines,
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
    #[cfg(feature = "progress")]
    shown: Instant,
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    Silent,
    Lines,
    #[cfg_attr(not(feature = "progress"), allow(dead_code))]
    Bar,
}

impl Progress {
    /// Progress in this style.
    pub fn new(verbose: Verbose) -> Self {
        let style = match verbose {
            Verbose::Silent => Style::Silent,
            Verbose::Auto if cfg!(feature = "progress") && std::io::stdout().is_terminal() => Style::Bar,
            _ => Style::Lines,
        };
        Progress {
            style,
            started: Instant::now(),
            #[cfg(feature = "progress")]
            shown: Instant::now(),
            #[cfg(feature = "progress")]
            bar: None,
        }
    }
}

impl Progress {
    /// Says where a training goes on from a backup.
    pub(crate) fn go_on<F: Scalar>(&mut self, at: &mut Moment<F>) -> Result<()> {
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
}

/// Prints a line; a closed pipe is no reason to stop training.
fn say(line: std::fmt::Arguments) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// `12s` and `34ms/step`.
fn pace(elapsed: Duration, batches: usize) -> String {
    let step = elapsed / u32::try_from(batches.max(1)).unwrap_or(u32::MAX);
    let step = match step.as_millis() {
        0 => format!("{}us", step.as_micros()),
        1..1000 => format!("{}ms", step.as_millis()),
        _ => format!("{:.0}s", step.as_secs_f64()),
    };
    format!("{}s {step}/step", elapsed.as_secs())
}

impl<F: Scalar> Callback<F> for Progress {
    fn on_epoch_begin(&mut self, at: &mut Moment<F>) -> Result<()> {
        self.started = Instant::now();
        #[cfg(feature = "progress")]
        if self.style == Style::Bar {
            say(format_args!("Epoch {}/{}", at.epoch + 1, at.epochs));
            self.bar = Some(bar(at.batches));
        }
        let _ = at;
        Ok(())
    }

    fn on_batch_end(&mut self, at: &mut Moment<F>) -> Result<Flow> {
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.set_position(at.batch as u64);
            // The text is made no oftener than it is drawn.
            if self.shown.elapsed() > Duration::from_millis(100) || at.batch == at.batches {
                self.shown = Instant::now();
                bar.set_message(format!("{} - {}", pace(self.started.elapsed(), at.batch), at.logs));
            }
        }
        let _ = at;
        Ok(Flow::Continue)
    }

    fn on_epoch_end(&mut self, at: &mut Moment<F>) -> Result<Flow> {
        let pace = pace(self.started.elapsed(), at.batch);
        match self.style {
            Style::Silent => {}
            Style::Lines => say(format_args!("Epoch {}/{} - {pace} - {}", at.epoch + 1, at.epochs, at.logs)),
            Style::Bar =>
            {
                #[cfg(feature = "progress")]
                if let Some(bar) = self.bar.take() {
                    bar.set_position(at.batch as u64);
                    bar.finish_and_clear();
                    let line = format!("{}/{} {} {pace} - {}", at.batch, at.batches, "━".repeat(20), at.logs);
                    say(format_args!("{line}"));
                }
            }
        }
        Ok(Flow::Continue)
    }
}

/// `57/100 ━━━━━━━━━━━───────── ETA 1s 2ms/step - loss: 0.1234`, on one line of any width.
#[cfg(feature = "progress")]
fn bar(batches: usize) -> indicatif::ProgressBar {
    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
    let bar = ProgressBar::with_draw_target(Some(batches as u64), ProgressDrawTarget::stdout_with_hz(10));
    let style = ProgressStyle::with_template("{pos}/{len} {bar:20} ETA {eta} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─"));
    bar
}
