//! Settings as JSON in Keras's form: an object is `{"module": .., "class_name": .., "config": {..}}`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use crate::config::{Config, Value};
use crate::error::{Error, FileError, Result};
use crate::files::budget::Budget;
use crate::model::Sequential;
use crate::save::keras::quirks;
use crate::scalar::Scalar;

/// Parses a text; `serde_json` refuses a nesting deeper than 128.
pub(super) fn parse(text: &[u8], budget: &Budget) -> std::result::Result<Value, String> {
    // Strings with escapes are assembled in a buffer of the parser.
    if text.contains(&b'\\') {
        budget.take(text.len().saturating_mul(2)).map_err(|spent| spent.to_string())?;
    }
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = WithinBudget(budget).deserialize(&mut parser).map_err(|error| error.to_string())?;
    parser.end().map_err(|error| error.to_string())?;
    if text.contains(&b'\\') {
        budget.give(text.len().saturating_mul(2));
    }
    Ok(value)
}

/// Writes a value; numbers that are not finite have no JSON form.
pub(super) fn write(value: &Value) -> Result<String> {
    serde_json::to_string(value).map_err(Error::outside)
}

#[derive(Clone, Copy)]
struct WithinBudget<'a>(&'a Budget);

impl WithinBudget<'_> {
    /// Charges the budget for this many bytes.
    fn take<E: serde::de::Error>(&self, bytes: usize) -> std::result::Result<(), E> {
        self.0.take(bytes).map_err(E::custom)
    }

    /// Adds an item, and charges the budget if the list grows.
    fn push<T, E: serde::de::Error>(&self, list: &mut Vec<T>, item: T) -> std::result::Result<(), E> {
        if list.len() == list.capacity() {
            let more = (list.len() / 4).max(4);
            self.take::<E>(more * size_of::<T>())?;
            list.reserve_exact(more);
        }
        list.push(item);
        Ok(())
    }

    /// Frees the unused end of a list.
    fn fit<T>(&self, list: &mut Vec<T>) {
        let spare = list.capacity() - list.len();
        list.shrink_to_fit();
        self.0.give(spare * size_of::<T>());
    }
}

impl<'de> DeserializeSeed<'de> for WithinBudget<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> std::result::Result<Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for WithinBudget<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> std::result::Result<Value, E> {
        self.take::<E>(value.len())?;
        Ok(Value::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            self.push::<_, A::Error>(&mut list, item)?;
        }
        self.fit(&mut list);
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some(name) = items.next_key::<String>()? {
            self.take::<A::Error>(name.len())?;
            let value = items.next_value_seed(self)?;
            self.push::<_, A::Error>(&mut fields, (name, value))?;
        }
        self.fit(&mut fields);
        self.take::<A::Error>(fields.len() * size_of::<&str>())?;
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom(format!("`{}` occurs twice", twice[0])));
        }
        drop(names);
        self.0.give(fields.len() * size_of::<&str>());
        self.thing(fields)
    }
}

impl WithinBudget<'_> {
    /// Returns a Keras object, if the fields form one. A function has only its name for settings.
    fn thing<E: serde::de::Error>(self, fields: Vec<(String, Value)>) -> std::result::Result<Value, E> {
        let place = |name| fields.iter().position(|(known, _)| known == name);
        let (Some(class), Some(config)) = (place("class_name"), place("config")) else {
            return Ok(Value::Map(fields));
        };
        match (&fields[class].1, &fields[config].1) {
            (Value::Text(_), Value::Map(_) | Value::Config(_) | Value::Text(_)) => {}
            _ => return Ok(Value::Map(fields)),
        }
        self.take::<E>(size_of::<Config>())?;
        let mut freed = fields.len() * size_of::<(String, Value)>();
        let mut object = Config::default();
        for (name, value) in fields {
            match (&*name, value) {
                ("class_name", Value::Text(kind)) => object.kind = kind,
                ("module", Value::Text(module)) => object.module = Some(module),
                ("config", Value::Map(config)) => object.fields = config,
                ("config", function @ Value::Text(_)) => {
                    self.push::<_, E>(&mut object.fields, ("name".into(), function))?;
                    self.fit(&mut object.fields);
                }
                (_, Value::Null) | ("registered_name" | "shared_object_id", _) => {}
                (_, value) => {
                    self.push::<_, E>(&mut object.beside, (name, value))?;
                    continue;
                }
            }
            freed += name.len();
        }
        self.fit(&mut object.beside);
        self.0.give(freed);
        Ok(Value::Config(Box::new(object)))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Value::Null => to.serialize_unit(),
            Value::Bool(value) => to.serialize_bool(*value),
            Value::Int(value) => to.serialize_i64(*value),
            Value::Float(value) if value.is_finite() => to.serialize_f64(*value),
            Value::Float(value) => Err(S::Error::custom(format!("{value} among the settings has no JSON"))),
            Value::Text(text) => to.serialize_str(text),
            Value::List(values) => to.collect_seq(values),
            Value::Map(fields) => to.collect_map(fields.iter().map(|(name, value)| (name, value))),
            Value::Config(config) => config.serialize(to),
        }
    }
}

/// The fields of a Keras object.
struct KerasObject<'a>(&'a Config);

impl Serialize for KerasObject<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_map(quirks::written(self.0))
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let registered = match self.module.as_deref() {
            None => Some(format!("Custom>{}", self.kind)),
            Some("cornu") => Some(format!("cornu>{}", self.kind)),
            Some(_) => None,
        };
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("module", &self.module)?;
        map.serialize_entry("class_name", &self.kind)?;
        match self.function() {
            Some(name) => map.serialize_entry("config", name)?,
            None => map.serialize_entry("config", &KerasObject(self))?,
        }
        map.serialize_entry("registered_name", &registered)?;
        for (name, value) in &self.beside {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<F: Scalar> Sequential<F> {
    /// The architecture as JSON without weights, as Keras's `to_json` writes and `model_from_json` reads it.
    ///
    /// # Errors
    /// [`FileError::NotSavable`] for a layer without settings.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let model = Sequential::new().input([3]).add(Dense::new(2).activation(Activation::Relu).name("F1"));
    /// let again = Sequential::from_json(&model.to_json()?)?;
    /// assert_eq!(again.to_json()?, model.to_json()?);
    /// let error = Sequential::from_json("{").unwrap_err();
    /// assert!(error.to_string().starts_with("JSON, line 1 column 1"));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn to_json(&self) -> Result<String> {
        write(&self.config()?.into())
    }
}

impl Sequential<f32> {
    /// Constructs a model from the JSON of [`Sequential::to_json`] or Keras's `to_json`, without building it.
    ///
    /// Use [`Loader::from_json`](super::Loader::from_json) for custom layers.
    ///
    /// # Errors
    /// [`FileError::Damaged`] for text that is not JSON, [`FileError::Setting`] and [`FileError::UnknownKind`], with
    /// the position.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let json = Sequential::new().input([3]).add(Dense::new(2).name("F1")).to_json()?;
    /// assert_eq!(Sequential::from_json(&json)?.layer("F1")?.kind(), "Dense");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self> {
        super::Loader::new().from_json(text)
    }
}

impl<F: Scalar> super::Loader<F> {
    /// Constructs a model like [`Sequential::from_json`], with the kinds of this loader.
    ///
    /// # Errors
    /// As [`Sequential::from_json`].
    #[allow(clippy::wrong_self_convention)] // converts the text, not the loader
    pub fn from_json(&self, text: &str) -> Result<Sequential<F>> {
        let parsed = parse(text.as_bytes(), &Budget::of(text.len() as u64 * 8));
        let value = parsed.map_err(|problem| {
            let (problem, place) = problem.rsplit_once(" at ").unwrap_or((&problem, "as a whole"));
            FileError::Damaged { path: "JSON".into(), place: place.into(), problem: problem.into() }
        })?;
        match value {
            Value::Config(config) => self.from_config(&config),
            value => Err(crate::config::refuse("class_name", "a Sequential of Keras", value)),
        }
    }
}
