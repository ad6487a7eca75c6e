//! The preparation of raw data that is saved with a model.

use super::{IntegerLookup, LabelEncoder, StringLookup, Tokenizer};
use crate::config::{Config, Fields, Settings, refuse};
use crate::error::{Error, Result};

const EXPECTED: &str = "a Tokenizer, StringLookup, IntegerLookup or LabelEncoder";

/// What turns raw data into the samples of a model or its classes into names; a model saves it in its file.
///
/// [`Sequential::set_preparation`](crate::Sequential::set_preparation) adds it to a model under a name.
///
/// # Example
/// ```
/// use cornu::data::{Preparation, StringLookup};
/// let lookup = StringLookup::new().fit(["CH", "DE"])?;
/// let config = Preparation::from(lookup.clone()).config();
/// assert_eq!(Preparation::from_config(&config)?, Preparation::StringLookup(lookup));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Preparation {
    /// Texts as word indices.
    Tokenizer(Tokenizer),
    /// Strings as indices.
    StringLookup(StringLookup),
    /// Integers as indices.
    IntegerLookup(IntegerLookup),
    /// The names of the classes.
    LabelEncoder(LabelEncoder),
}

impl Preparation {
    /// The kind, such as `Tokenizer`.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Preparation, Tokenizer};
    /// assert_eq!(Preparation::from(Tokenizer::new()).kind(), "Tokenizer");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Preparation::Tokenizer(_) => "Tokenizer",
            Preparation::StringLookup(_) => "StringLookup",
            Preparation::IntegerLookup(_) => "IntegerLookup",
            Preparation::LabelEncoder(_) => "LabelEncoder",
        }
    }

    /// The settings and the vocabulary, for files.
    pub fn config(&self) -> Config {
        let mut config = Config::of("cornu", self.kind());
        match self {
            Preparation::Tokenizer(tokenizer) => tokenizer.write(&mut config),
            Preparation::StringLookup(lookup) => lookup.write(&mut config),
            Preparation::IntegerLookup(lookup) => lookup.write(&mut config),
            Preparation::LabelEncoder(labels) => labels.write(&mut config),
        }
        config
    }

    /// Returns the settings if [`from_config`](Preparation::from_config) can read them.
    #[cfg_attr(not(any(feature = "keras", feature = "safetensors")), allow(dead_code))] // for files alone
    pub(crate) fn checked_config(&self) -> Result<Config> {
        match self {
            Preparation::Tokenizer(tokenizer) => tokenizer.lookup.check()?,
            Preparation::StringLookup(lookup) => lookup.check()?,
            Preparation::IntegerLookup(lookup) => lookup.check()?,
            Preparation::LabelEncoder(_) => {}
        }
        let config = self.config();
        Preparation::from_config(&config)?;
        Ok(config)
    }

    /// Constructs a preparation from the settings of [`config`](Preparation::config).
    ///
    /// # Errors
    /// [`FileError::Setting`](crate::error::FileError::Setting) for an unknown kind or setting; [`Error::Argument`] for a
    /// vocabulary or classes that are not distinct.
    pub fn from_config(config: &Config) -> Result<Self> {
        let mut fields = Fields::new(config, &*config.kind);
        let preparation = match &*config.kind {
            "Tokenizer" => {
                let mut tokenizer = Tokenizer::new();
                tokenizer.read(&mut fields)?;
                tokenizer.lookup = tokenizer.lookup.checked()?;
                tokenizer.into()
            }
            "StringLookup" => {
                let mut lookup = StringLookup::new();
                lookup.read(&mut fields)?;
                lookup.checked()?.into()
            }
            "IntegerLookup" => {
                let mut lookup = IntegerLookup::new();
                lookup.read(&mut fields)?;
                lookup.checked()?.into()
            }
            "LabelEncoder" => {
                let mut labels = LabelEncoder::fit(Vec::<String>::new());
                labels.read(&mut fields)?;
                if !labels.classes().is_sorted_by(|a, b| a < b) {
                    return Err(Error::argument("classes", "distinct labels in sorted order", "others"));
                }
                labels.into()
            }
            kind => return Err(refuse("class_name", EXPECTED, kind)),
        };
        fields.finish()?;
        Ok(preparation)
    }
}

macro_rules! from {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Preparation {
            fn from(preparation: $kind) -> Self {
                Preparation::$kind(preparation)
            }
        }
    )*};
}

from!(Tokenizer, StringLookup, IntegerLookup, LabelEncoder);
