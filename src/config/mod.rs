//! Settings as data: the options of a layer, loss, optimizer or metric, under Keras's names.
//!
//! The file formats write and read [`Config`]s. Each built-in type lists its settings once; writing and reading both
//! follow from that list.

mod fields;
mod registry;
mod setting;
mod settings;

pub use fields::Fields;
pub use setting::Setting;

pub(crate) use registry::{Constructor, Registry, built_in};
pub(crate) use setting::{axes_from_value, axes_to_value, refuse, words};
pub(crate) use settings::{Entry, Settings, saved, setters, settings};

/// The settings of one object: its kind, such as `Dense`, and its fields, such as `units`.
///
/// A layer of another crate returns its settings from [`Layer::config`](crate::layer::Layer::config). The constructor
/// registered with a [`Loader`](crate::save::Loader) creates it again.
///
/// # Example
/// ```
/// use cornu::config::{Config, Fields, Value};
/// let mut config = Config::new("Power").with("exponent", 2.0).with("signed", true);
/// config.set("exponent", 3.0);
/// assert_eq!(config.get("exponent"), Some(&Value::Float(3.0)));
/// let mut fields = Fields::new(&config, "layers[0].config");
/// assert_eq!(fields.get::<f64>("exponent")?, 3.0);
/// let error = fields.get::<usize>("signed").unwrap_err();
/// assert_eq!(error.to_string(), "`layers[0].config.signed`: expected a whole number of at least 0, found true");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The Keras module of the kind, such as `keras.layers`; `cornu` if Keras lacks the kind, and `None` for kinds of
    /// other crates.
    pub module: Option<String>,
    /// The kind, such as `Dense`.
    pub kind: String,
    /// The settings, with their names.
    pub fields: Vec<(String, Value)>,
    /// Further entries of the file, such as the shapes for which a layer was built.
    pub(crate) beside: Vec<(String, Value)>,
}

/// The value of a setting.
///
/// # Example
/// ```
/// use cornu::config::Value;
/// assert_eq!(Value::from(3), Value::Int(3));
/// assert_eq!(Value::from("valid"), Value::Text("valid".into()));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A string.
    Text(String),
    /// A list of values.
    List(Vec<Value>),
    /// Values with names.
    Map(Vec<(String, Value)>),
    /// An object with its own settings.
    Config(Box<Config>),
}

impl Config {
    /// Creates empty settings for a kind of another crate.
    pub fn new(kind: impl Into<String>) -> Self {
        Config { kind: kind.into(), ..Config::default() }
    }

    /// Creates empty settings for a kind of this module.
    pub(crate) fn of(module: &str, kind: &str) -> Self {
        Config { module: Some(module.into()), ..Config::new(kind) }
    }

    /// Collects the settings that `thing` lists.
    pub(crate) fn from_settings(module: &str, kind: &str, thing: &impl Settings) -> Self {
        let mut config = Config::of(module, kind);
        thing.write(&mut config);
        config
    }

    /// Adds a setting, and returns the settings.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds a setting, or replaces the one with this name.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.fields.push((name.into(), value)),
        }
    }

    /// The function of Keras with this name.
    pub(crate) fn of_function(name: &str) -> Self {
        Config::of("builtins", "function").with("name", name)
    }

    /// The name of the Python function that these settings represent.
    pub(crate) fn function(&self) -> Option<&str> {
        match self.get("name") {
            Some(Value::Text(name))
                if self.module.as_deref() == Some("builtins") && self.kind == "function" =>
            {
                Some(name)
            }
            _ => None,
        }
    }

    /// Returns whether the kind is one of Keras's or cornu's own.
    pub(crate) fn is_built_in(&self) -> bool {
        self.is_of_keras() || self.module.as_deref() == Some("cornu")
    }

    /// Returns whether the kind is in one of Keras's modules.
    pub(crate) fn is_of_keras(&self) -> bool {
        self.module.as_deref().is_some_and(|module| module == "keras" || module.starts_with("keras."))
    }

    /// The setting with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl Value {
    /// The text, or the name of a Python function.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Config(config) => config.function(),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($type:ty: $value:ident => $converted:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $converted
            }
        }
    )*};
}

from! {
    bool: value => Value::Bool(value);
    i64: value => Value::Int(value);
    i32: value => Value::Int(value.into());
    f64: value => Value::Float(value);
    &str: value => Value::Text(value.into());
    String: value => Value::Text(value);
    Config: value => Value::Config(Box::new(value));
    usize: value => i64::try_from(value).map_or(Value::Float(value as f64), Value::Int);
    u64: value => i64::try_from(value).map_or(Value::Float(value as f64), Value::Int);
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl std::fmt::Display for Value {
    /// Formats the value for a message, and truncates long ones.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Text(text) if text.chars().count() > 60 => {
                let cut: String = text.chars().take(60).collect();
                write!(f, "{cut:?} ...")
            }
            Value::Text(text) => write!(f, "{text:?}"),
            Value::List(values) if values.len() > 8 => write!(f, "a list of {}", values.len()),
            Value::List(values) => {
                let shown: Vec<String> = values.iter().map(Value::to_string).collect();
                write!(f, "[{}]", shown.join(", "))
            }
            Value::Map(fields) => write!(f, "an object of {} fields", fields.len()),
            Value::Config(config) => match config.function() {
                Some(name) => write!(f, "the function {}", Value::from(name)),
                None => write!(f, "a {}", Value::from(&*config.kind)),
            },
        }
    }
}
