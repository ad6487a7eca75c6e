//! Reads the settings of one object, and records which were read.

use super::setting::{Setting, refuse};
use super::{Config, Value};
use crate::error::Result;

/// The settings of one object while it is constructed from a file.
///
/// [`get`](Fields::get) reads a setting. Settings that were not read are refused at the end, so none is lost silently.
///
/// # Example
/// ```
/// use cornu::config::{Config, Fields};
/// let config = Config::new("Times").with("factor", 2.0);
/// let mut fields = Fields::new(&config, "layers[0].config");
/// assert_eq!((fields.kind(), fields.path_of("factor")), ("Times", "layers[0].config.factor".into()));
/// assert_eq!(fields.get::<f64>("factor")?, 2.0);
/// let mut offset = 1.0;
/// fields.read("offset", &mut offset)?;              // missing, so the default stays
/// assert_eq!((offset, fields.value("offset")), (1.0, None));
/// fields.finish()?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct Fields<'a> {
    config: &'a Config,
    path: String,
    read: Vec<bool>,
}

impl<'a> Fields<'a> {
    /// Creates a reader of the settings in `config`, which is at `path` in its file.
    pub fn new(config: &'a Config, path: impl Into<String>) -> Self {
        Fields { read: vec![false; config.fields.len()], config, path: path.into() }
    }

    /// Reads a Keras object, found at `path` in its file; refuses any other value.
    pub(crate) fn of_keras(value: &'a Value, path: &str, expected: &str) -> Result<Self> {
        match value {
            Value::Config(config) if config.is_of_keras() => {
                Ok(Fields::new(config, format!("{path}.config")))
            }
            _ => Err(refuse(path, expected, value)),
        }
    }

    /// The kind of the object.
    pub fn kind(&self) -> &'a str {
        &self.config.kind
    }

    /// The Keras module of the kind.
    pub(crate) fn module(&self) -> Option<&'a str> {
        self.config.module.as_deref()
    }

    /// Whether the kind is one of Keras's or cornu's own.
    pub(crate) fn is_built_in(&self) -> bool {
        self.config.is_built_in()
    }

    /// The path of the settings, such as `layers[3].config`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the setting with this name.
    ///
    /// # Errors
    /// [`FileError::Setting`](crate::error::FileError::Setting) if it is missing or has another type.
    pub fn get<T: Setting>(&mut self, name: &str) -> Result<T> {
        let path = self.path_of(name);
        match self.value(name) {
            Some(value) => T::from_value(value, &path),
            None => Err(refuse(&path, T::EXPECTED, "nothing")),
        }
    }

    /// Returns the setting with this name, or `default` if there is none.
    pub(crate) fn get_or<T: Setting>(&mut self, name: &str, default: T) -> Result<T> {
        self.value(name).map_or(Ok(default), |value| T::from_value(value, &self.path_of(name)))
    }

    /// Sets `to` if there is a setting with this name.
    ///
    /// # Errors
    /// [`FileError::Setting`](crate::error::FileError::Setting) if it has another type.
    pub fn read<T: Setting>(&mut self, name: &str, to: &mut T) -> Result<()> {
        if let Some(value) = self.value(name) {
            *to = T::from_value(value, &self.path_of(name))?;
        }
        Ok(())
    }

    /// Returns the raw value of the setting with this name, and marks it as read.
    pub fn value(&mut self, name: &str) -> Option<&'a Value> {
        let place = self.config.fields.iter().position(|(known, _)| known == name)?;
        self.read[place] = true;
        Some(&self.config.fields[place].1)
    }

    /// The path of a setting.
    pub fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Refuses a setting whose value is not the only supported one.
    pub(crate) fn only(&mut self, name: &str, built_in: impl Into<Value>) -> Result<()> {
        let built_in = built_in.into();
        let same = |value: &Value| match (value, &built_in) {
            (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => *a as f64 == *b,
            (value, built_in) => value == built_in,
        };
        match self.value(name) {
            Some(value) if !same(value) && *value != Value::Null => {
                Err(refuse(&self.path_of(name), format!("{built_in}, the only supported value"), value))
            }
            _ => Ok(()),
        }
    }

    /// Refuses settings that were not read, except null ones.
    ///
    /// # Errors
    /// [`FileError::Setting`](crate::error::FileError::Setting).
    pub fn finish(self) -> Result<()> {
        let left = self.config.fields.iter().zip(&self.read);
        match left.into_iter().find(|((_, value), read)| !**read && *value != Value::Null) {
            Some(((name, value), _)) => {
                Err(refuse(&self.path_of(name), format!("no such setting of `{}`", self.config.kind), value))
            }
            None => Ok(()),
        }
    }
}
