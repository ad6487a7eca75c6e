//! Settings as data: what a layer, a loss, an optimizer or a metric was made with, under Keras's names.
//!
//! A [`Config`] is what the file formats write and read. Each built-in type lists its settings once, and both directions
//! follow from that list.

mod fields;
mod registry;
mod setting;
mod settings;

pub use fields::Fields;
pub use setting::Setting;

pub(crate) use registry::{Constructor, Registry, built_in};
pub(crate) use setting::{refuse, words};
pub(crate) use settings::{Entry, Settings, saved, settings};

/// The settings of one thing: its kind, such as `Dense`, and its fields, such as `units`.
///
/// A layer written outside this crate tells its own by [`Layer::config`](crate::layer::Layer::config), and is made again
/// by the constructor that a [`Loader`](crate::save::Loader) was given.
///
/// # Example
/// ```
/// use cornu::config::{Config, Fields, Value};
/// let config = Config::new("Power").with("exponent", 3.0).with("signed", true);
/// assert_eq!(config.get("exponent"), Some(&Value::Float(3.0)));
/// let mut fields = Fields::new(&config, "layers[0].config");
/// assert_eq!(fields.get::<f64>("exponent")?, 3.0);
/// let error = fields.get::<usize>("signed").unwrap_err();
/// assert_eq!(error.to_string(), "`layers[0].config.signed`: expected a whole number of at least 0, found true");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// Where Keras finds the kind, such as `keras.layers`; `cornu` for what Keras does not have, and empty for things
    /// written outside this crate.
    pub module: String,
    /// The kind, such as `Dense`.
    pub kind: String,
    /// The settings, each under its name.
    pub fields: Vec<(String, Value)>,
    /// What a file says beside the settings, such as the shapes that a layer was built for.
    pub(crate) beside: Vec<(String, Value)>,
}

/// A setting's value.
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
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A word.
    Text(String),
    /// Several, one after another.
    List(Vec<Value>),
    /// Several, each under a name.
    Map(Vec<(String, Value)>),
    /// A thing with settings of its own.
    Config(Box<Config>),
}

impl Config {
    /// No settings yet, of a thing that is written outside this crate.
    pub fn new(kind: impl Into<String>) -> Self {
        Config { kind: kind.into(), ..Config::default() }
    }

    /// Of a thing that is found in this module.
    pub(crate) fn of(module: &str, kind: &str) -> Self {
        Config { module: module.into(), ..Config::new(kind) }
    }

    /// Of a thing that lists its settings.
    pub(crate) fn from_settings(module: &str, kind: &str, thing: &impl Settings) -> Self {
        let mut config = Config::of(module, kind);
        thing.write(&mut config);
        config
    }

    /// With a setting more.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets one, in the place of what it was.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.fields.push((name.into(), value)),
        }
    }

    /// The setting of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

macro_rules! from {
    ($($type:ty: $value:ident => $made:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
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
    /// Names it for a message; long ones are cut.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Text(text) if text.chars().count() > 60 => {
                let cut: String = text.chars().take(60).collect();
                write!(f, "{cut:?} and more")
            }
            Value::Text(text) => write!(f, "{text:?}"),
            Value::List(values) if values.len() > 8 => write!(f, "a list of {}", values.len()),
            Value::List(values) => {
                let shown: Vec<String> = values.iter().map(Value::to_string).collect();
                write!(f, "[{}]", shown.join(", "))
            }
            Value::Map(fields) => write!(f, "an object of {} fields", fields.len()),
            Value::Config(config) => write!(f, "a {}", Value::Text(config.kind.clone())),
        }
    }
}
