//! Write errors of callbacks: reported once per cause, kept as data, retried later.

use super::CallbackContext;
use crate::error::Error;
use crate::scalar::Scalar;

/// The maximum number of errors that are kept.
const MOST: usize = 1000;

#[derive(Debug, Clone, Default)]
pub(super) struct Failures {
    all: Vec<Error>,
    /// The last message, until something is written again.
    reported: Option<String>,
}

impl Failures {
    pub(super) fn all(&self) -> &[Error] {
        &self.all
    }

    pub(super) fn clear(&mut self) {
        *self = Failures::default();
    }

    /// Keeps an error without reporting it.
    #[cfg(feature = "tensorboard")]
    pub(super) fn keep(&mut self, written: Result<(), Error>) {
        let room = self.all.len() < MOST;
        self.all.extend(written.err().filter(|_| room));
    }

    /// Records the result of an attempt to write `what`, and returns its value if it succeeded.
    pub(super) fn take<F: Scalar, T>(
        &mut self,
        at: &CallbackContext<F>,
        what: &str,
        written: Result<T, Error>,
    ) -> Option<T> {
        match written {
            Ok(value) => {
                self.reported = None;
                Some(value)
            }
            Err(error) => {
                let text = format!("{what} was not written: {error}");
                if self.reported.as_ref() != Some(&text) {
                    at.warn(format_args!("{text}; the training continues and will try the next one"));
                    self.reported = Some(text);
                }
                if self.all.len() < MOST {
                    self.all.push(error);
                }
                None
            }
        }
    }
}
