//! Data: preparation, batch sources, and readers of files.

#[cfg(any(feature = "npy", feature = "mat", feature = "hdf5"))]
mod arrays;
mod augment;
mod buckets;
mod class_weight;
#[cfg(feature = "csv")]
mod csv;
mod dataset;
mod folds;
mod labels;
mod lookup;
#[cfg(feature = "npy")]
mod npy;
mod one_hot;
#[cfg(feature = "parquet")]
mod parquet;
mod preparation;
mod read;
#[cfg(any(feature = "npy", feature = "mat", feature = "hdf5", feature = "csv", feature = "parquet"))]
#[cfg_attr(not(feature = "full"), allow(dead_code, reason = "each format needs some of it"))]
mod rows;
mod scale;
mod sequences;
mod source;
mod split;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod table;
mod tokenizer;
mod windows;

pub use crate::samples::Samples;
pub use crate::scalar::Element;
#[cfg(any(feature = "npy", feature = "mat", feature = "hdf5"))]
pub use arrays::{ArraySource, Arrays};
pub use augment::Augment;
pub use buckets::{Buckets, Sequence};
pub use class_weight::ClassWeight;
pub(crate) use class_weight::{check_weights, class_of, is_whole};
#[cfg(feature = "csv")]
pub use csv::{Csv, CsvSource};
pub use dataset::Dataset;
pub use folds::{Fold, KFold};
pub use labels::{LabelEncoder, to_categorical};
pub use lookup::{IntegerLookup, Lookup, StringLookup, Term};
#[cfg(feature = "npy")]
pub use npy::NpySource;
pub use one_hot::OneHotEncoder;
#[cfg(feature = "parquet")]
pub use parquet::{Parquet, ParquetSource};
pub use preparation::Preparation;
pub use scale::{MinMaxScaler, StandardScaler};
pub use sequences::{PadSequences, Side};
pub(crate) use source::check_source;
pub use source::{BatchSource, SourceFn, source_fn};
pub use split::TrainTestSplit;
#[cfg(feature = "csv")]
pub use table::Encoding;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub use table::{Column, Missing};
pub use tokenizer::{Split, Standardize, Tokenizer};
pub use windows::{WindowSource, Windows};
