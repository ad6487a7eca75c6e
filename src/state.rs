//! The state of a training, to resume it after it was killed. The same code describes writing and reading.

mod error;
mod value;

pub use value::StateValue;

use std::ops::Range;
use std::path::{Path, PathBuf};

use num_traits::PrimInt;

use crate::error::{BackupFault, Error, Result};

/// The state of a training, while it is written to a backup or read from one.
///
/// The same calls do both, so that the two directions cannot diverge: [`State::item`] writes a value when a backup is
/// made, and restores it when a training resumes. Each value has a name. A backup with other names, sizes or types is
/// refused with an error that contains the place.
///
/// # Example
/// ```
/// use cornu::callback::{Callback, CallbackContext, Flow, State};
/// use cornu::prelude::*;
///
/// /// Counts the batches of a training, however often it is killed.
/// #[derive(Default)]
/// struct Count { batches: u64, losses: [f64; 2], epochs: Vec<f64>, fails: bool }
///
/// impl Callback<f32> for Count {
///     fn on_batch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
///         self.batches += 1;
///         self.losses[at.batch - 1] = at.logs.get("loss").unwrap_or(0.0);
///         Ok(Flow::Continue)
///     }
///     fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
///         self.epochs.push(at.epoch as f64);
///         // As if the process were killed.
///         if at.epoch == 1 && self.fails { Err(Error::outside(std::fmt::Error)) } else { Ok(Flow::Continue) }
///     }
///     fn state(&mut self, state: &mut State) -> Result<()> {
///         state.item("batches", &mut self.batches)?;
///         state.group("epoch", |state| state.numbers("losses", &mut self.losses))?;
///         state.list("epochs", &mut self.epochs, f64::default, |epoch, state| state.item("epoch", epoch))
///     }
/// }
///
/// # let folder = std::env::temp_dir().join(format!("cornu-example-state-{}", std::process::id()));
/// let x = ndarray::array![[0.0], [1.0]];
/// let program = |count: &mut Count| {
///     let mut model = Sequential::new().seed(1).add(Dense::new(1));
///     model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
///     let fit = Fit::new().epochs(3).batch_size(1).verbose(Verbose::Silent).diagnose(Diagnose::Off);
///     model.fit(&x, &x, &fit.callback(count).backup(BackupAndRestore::new(&folder)))
/// };
/// assert!(program(&mut Count { fails: true, ..Count::default() }).is_err());
/// let mut count = Count::default();
/// program(&mut count)?;                                        // resumes after the first epoch
/// assert_eq!((count.batches, &count.epochs[..]), (6, &[0.0, 1.0, 2.0][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct State {
    /// The names of the enclosing groups.
    place: Vec<String>,
    mode: StateMode,
    /// The settings that callbacks have stated.
    settings: Vec<CallbackSettings>,
}

/// The settings of a callback that can change a training.
#[derive(Debug)]
pub(crate) struct CallbackSettings {
    pub(crate) kind: String,
    pub(crate) values: Vec<(String, String)>,
}

enum StateMode {
    Writing(Vec<u8>),
    Reading { file: PathBuf, bytes: Vec<u8>, at: usize },
}

impl std::fmt::Debug for StateMode {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            StateMode::Writing(bytes) => write!(f, "{} bytes written", bytes.len()),
            StateMode::Reading { bytes, at, .. } => write!(f, "{at} of {} bytes read", bytes.len()),
        }
    }
}

impl State {
    /// An empty state, for writing.
    pub(crate) fn writing() -> Self {
        State { place: Vec::new(), mode: StateMode::Writing(Vec::new()), settings: Vec::new() }
    }

    /// The state in these bytes of a file.
    pub(crate) fn reading(file: &Path, bytes: Vec<u8>) -> Self {
        let mode = StateMode::Reading { file: file.into(), bytes, at: 0 };
        State { place: Vec::new(), mode, settings: Vec::new() }
    }

    /// The bytes written.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.mode {
            StateMode::Writing(bytes) | StateMode::Reading { bytes, .. } => bytes,
        }
    }

    /// Whether values are read from a backup, not written to one.
    pub fn is_reading(&self) -> bool {
        matches!(self.mode, StateMode::Reading { .. })
    }

    /// Writes the value, or replaces it by the stored value with this name.
    ///
    /// # Errors
    /// [`Error::Backup`] if the backup holds something else here; the value is then unchanged.
    pub fn item<T: StateValue>(&mut self, name: &str, value: &mut T) -> Result<()> {
        if let StateMode::Writing(bytes) = &mut self.mode {
            entry(bytes, name, |bytes| value.put(bytes));
            return Ok(());
        }
        let payload = self.payload(name)?;
        let mut rest = &self.bytes()[payload.clone()];
        match T::take(&mut rest).filter(|_| rest.is_empty()) {
            Some(read) => {
                *value = read;
                Ok(())
            }
            None => Err(self.refuse(name, T::WHAT, format!("{} invalid bytes", payload.len()))),
        }
    }

    /// As [`State::item`], for a fixed number of values: weights, counts, sums.
    ///
    /// # Errors
    /// As [`State::item`]; some of the numbers may have changed then.
    pub fn numbers<'v, N: StateValue + 'v>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'v mut N>,
    ) -> Result<()> {
        if let StateMode::Writing(bytes) = &mut self.mode {
            entry(bytes, name, |bytes| values.into_iter().for_each(|value| value.put(bytes)));
            return Ok(());
        }
        let payload = self.payload(name)?;
        let mut rest = &self.bytes()[payload.clone()];
        let mut count = 0;
        for value in values {
            count += 1;
            if let Some(read) = N::take(&mut rest) {
                *value = read;
            }
        }
        match payload.len() == count * N::LEAST {
            true => Ok(()),
            false => Err(self.refuse(name, format!("{count} numbers"), format!("{} bytes", payload.len()))),
        }
    }

    /// As [`State::item`], for a counter. Values near the maximum of the type are refused, so that additions cannot
    /// overflow.
    pub(crate) fn count<N: StateValue + PrimInt>(&mut self, name: &str, count: &mut N) -> Result<()> {
        let mut read = *count;
        self.item(name, &mut read)?;
        if self.is_reading() && !is_count(read) {
            return Err(self.refuse(name, "a count", "a number that is too large"));
        }
        *count = read;
        Ok(())
    }

    /// As [`State::numbers`], for counters; if `counts` is empty, any number of them is read.
    pub(crate) fn counts<N: StateValue + PrimInt>(&mut self, name: &str, counts: &mut Vec<N>) -> Result<()> {
        let before = counts.len();
        self.item(name, counts)?;
        if (before == 0 || counts.len() == before)
            && (!self.is_reading() || counts.iter().all(|count| is_count(*count)))
        {
            return Ok(());
        }
        Err(self.refuse(
            name,
            format!("{before} counts"),
            format!("{} numbers, or numbers that are too large", counts.len()),
        ))
    }

    /// As [`State::item`], for a list of objects with several values each; `new` creates an object to read into.
    ///
    /// # Errors
    /// As [`State::item`], and the errors of `each`.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: &mut Vec<T>,
        new: impl Fn() -> T,
        mut each: impl FnMut(&mut T, &mut State) -> Result<()>,
    ) -> Result<()> {
        self.group(name, |state| {
            let mut count = items.len();
            state.item("count", &mut count)?;
            if state.is_reading() {
                items.clear();
            }
            // Read them one by one, so that a false count fails where the bytes end.
            for index in 0..count {
                if state.is_reading() {
                    items.push(new());
                }
                each(&mut items[index], state)?;
            }
            Ok(())
        })
    }

    /// Groups values; the name of the group is part of the place in errors.
    ///
    /// # Errors
    /// The errors of `f`.
    pub fn group(&mut self, name: &str, f: impl FnOnce(&mut State) -> Result<()>) -> Result<()> {
        self.place.push(name.into());
        let result = f(self);
        self.place.pop();
        result
    }

    /// States the settings of a callback that can stop a training, or change its learning rate or weights.
    ///
    /// `kind` is the name of the callback's type. A backup with other settings is refused, and the ranks of a
    /// [distributed](crate::Fit::distributed) training compare the settings. A callback that only observes or writes
    /// files does not call this method.
    ///
    /// # Errors
    /// [`Error::Backup`] if the backup has another value of a setting.
    ///
    /// # Example
    /// ```
    /// use cornu::callback::{Callback, CallbackContext, Flow, State};
    /// use cornu::prelude::*;
    /// struct StopAt { epoch: usize }
    /// impl Callback<f32> for StopAt {
    ///     fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
    ///         Ok(if at.epoch == self.epoch { Flow::Stop("the last epoch".into()) } else { Flow::Continue })
    ///     }
    ///     fn state(&mut self, state: &mut State) -> Result<()> {
    ///         state.settings("StopAt", [("epoch", self.epoch.to_string())])
    ///     }
    /// }
    /// # let folder = std::env::temp_dir().join(format!("cornu-example-settings-{}", std::process::id()));
    /// let x = ndarray::array![[0.0], [1.0]];
    /// let program = |epoch: usize, fails: bool| {
    ///     let mut model = Sequential::new().seed(1).add(Dense::new(1));
    ///     model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    ///     // As if the process were killed.
    ///     let end = LambdaCallback::new().on_fit_end(move |_| if fails { Err(Error::outside(std::fmt::Error)) } else { Ok(()) });
    ///     let fit = Fit::new().epochs(9).verbose(Verbose::Silent).callback(StopAt { epoch }).callback(end);
    ///     model.fit(&x, &x, &fit.backup(BackupAndRestore::new(&folder)))
    /// };
    /// assert!(program(3, true).is_err());
    /// assert!(matches!(program(2, false), Err(Error::Backup(_))));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn settings<'s>(
        &mut self,
        kind: &str,
        settings: impl IntoIterator<Item = (&'s str, String)>,
    ) -> Result<()> {
        let mut values = Vec::new();
        for (name, value) in settings {
            self.same(name, &value)?;
            values.push((name.to_string(), value));
        }
        self.settings.push(CallbackSettings { kind: kind.into(), values });
        Ok(())
    }

    /// The settings that callbacks have stated.
    pub(crate) fn stated(self) -> Vec<CallbackSettings> {
        self.settings
    }

    /// Writes a description of the training, or refuses a backup with another one.
    ///
    /// # Errors
    /// [`Error::Backup`] if the backup has another text under this name.
    pub(crate) fn same(&mut self, name: &str, here: &str) -> Result<()> {
        if let Some(found) = self.next_name().filter(|found| found != name) {
            return Err(self.other(name, format!("nothing, but `{found}`"), here));
        }
        let mut there = here.to_string();
        self.item(name, &mut there)?;
        match there == here {
            true => Ok(()),
            false => Err(self.other(name, there, here)),
        }
    }

    /// The error for a backup of another training.
    pub(crate) fn other(&self, what: &str, there: impl ToString, here: impl ToString) -> Error {
        let (file, what) = (self.file().into(), what.into());
        BackupFault::OfAnother { file, what, there: there.to_string(), here: here.to_string() }.into()
    }

    /// Refuses a backup with trailing bytes.
    pub(crate) fn end(&self) -> Result<()> {
        match &self.mode {
            StateMode::Reading { bytes, at, .. } if *at < bytes.len() => {
                Err(self.refuse("the end", "nothing more", format!("{} bytes", bytes.len() - at)))
            }
            _ => Ok(()),
        }
    }

    fn file(&self) -> &Path {
        match &self.mode {
            StateMode::Reading { file, .. } => file,
            StateMode::Writing(_) => Path::new(""),
        }
    }

    fn refuse(&self, name: &str, expected: impl Into<String>, found: impl Into<String>) -> Error {
        let place: Vec<&str> = self.place.iter().map(String::as_str).chain([name]).collect();
        let (file, place) = (self.file().into(), place.join("/"));
        BackupFault::Damaged { file, place, expected: expected.into(), found: found.into() }.into()
    }

    /// The range of the bytes of the next entry, which must have this name.
    fn next_name(&self) -> Option<String> {
        match &self.mode {
            StateMode::Reading { bytes, at, .. } => String::take(&mut &bytes[*at..]),
            StateMode::Writing(_) => None,
        }
    }

    fn payload(&mut self, name: &str) -> Result<Range<usize>> {
        let StateMode::Reading { bytes, at, .. } = &self.mode else { return Ok(0..0) };
        let mut rest = &bytes[*at..];
        let found = String::take(&mut rest);
        let length = u64::take(&mut rest).map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let start = bytes.len() - rest.len();
        match (found, length) {
            (Some(found), Some(length)) if found == name && length <= rest.len() => {
                if let StateMode::Reading { at, .. } = &mut self.mode {
                    *at = start + length;
                }
                Ok(start..start + length)
            }
            (Some(found), Some(_)) if found != name => {
                Err(self.refuse(name, format!("`{name}`"), format!("`{found}`")))
            }
            _ => Err(self.refuse(name, format!("`{name}`"), "the end of the file")),
        }
    }
}

/// Whether the number is plausible as a counter.
fn is_count<N: PrimInt>(number: N) -> bool {
    // For wide types, leave room to add up thousands of them too.
    number <= N::max_value() >> if size_of::<N>() == 8 { 16 } else { 1 }
}

/// Appends an entry: its name, its length and its bytes.
fn entry(bytes: &mut Vec<u8>, name: &str, put: impl FnOnce(&mut Vec<u8>)) {
    name.to_string().put(bytes);
    let start = bytes.len() + 8;
    bytes.extend([0; 8]);
    put(bytes);
    let length = (bytes.len() - start) as u64;
    bytes[start - 8..start].copy_from_slice(&length.to_le_bytes());
}
