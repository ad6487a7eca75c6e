//! What a program that trains a network uses: `use cornu::prelude::*;`.

pub use crate::callback::Verbose;
pub use crate::data::{ClassWeight, LabelEncoder, to_categorical};
pub use crate::layer::{Dense, Flatten, Layer, Normalization, Rescaling, Softmax};
pub use crate::loss::{
    BinaryCrossentropy, CategoricalCrossentropy, MeanAbsoluteError, MeanSquaredError,
    SparseCategoricalCrossentropy,
};
pub use crate::metric::{
    Accuracy, Auc, Average, ClassificationReport, ConfusionMatrix, Curve, F1Score, FBetaScore, Goal,
    Precision, R2Score, Recall, RootMeanSquaredError, Summation, TopKAccuracy, Weighted, metric_fn,
};
pub use crate::optimizer::{Adam, Sgd};
pub use crate::{
    Activation, Constraint, Error, Evaluate, Fit, History, Initializer, Regularizer, Result, Rng, Scalar,
    Sequential,
};
