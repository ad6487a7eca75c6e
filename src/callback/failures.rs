//! What a callback could not write: told once for each reason, kept as data, tried again.

use super::CallbackContext;
use crate::error::Error;
use crate::scalar::Scalar;

/// Failures that are kept, at most.
const MOST: usize = 1000;

#[derive(Debug, Clone, Default)]
pub(super) struct Failures {
    all: Vec<Error>,
    /// The last that was told, as long as nothing was written since.
    told: Option<String>,
}

impl Failures {
    pub(super) fn all(&self) -> &[Error] {
        &self.all
    }

    pub(super) fn clear(&mut self) {
        *self = Failures::default();
    }

    /// Keeps an error, untold.
    #[cfg(feature = "tensorboard")]
    pub(super) fn keep(&mut self, written: Result<(), Error>) {
        let room = self.all.len() < MOST;
        self.all.extend(written.err().filter(|_| room));
    }

    /// Takes what became of an attempt to write `what`; gives what it gave, where it did.
    pub(super) fn take<F: Scalar, T>(
        &mut self,
        at: &CallbackContext<F>,
        what: &str,
        written: Result<T, Error>,
    ) -> Option<T> {
        match written {
            Ok(value) => {
                self.told = None;
                Some(value)
            }
            Err(error) => {
                let text = format!("{what} was not written: {error}");
                if self.told.as_ref() != Some(&text) {
                    at.warn(format_args!("{text}; the training continues and will try the next one"));
                    self.told = Some(text);
                }
                if self.all.len() < MOST {
                    self.all.push(error);
                }
                None
            }
        }
    }
}
