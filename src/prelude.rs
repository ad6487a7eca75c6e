//! What a program that trains a network uses: `use cornu::prelude::*;`.

pub use crate::callback::Verbose;
pub use crate::data::{ClassWeight, LabelEncoder, to_categorical};
pub use crate::layer::{
    AveragePooling1D, AveragePooling2D, Conv1D, Conv2D, Dense, DepthwiseConv1D, Flatten,
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D, Layer,
    MaxPooling1D, MaxPooling2D, Normalization, Padding, Rescaling, SeparableConv1D, Softmax,
};
pub use crate::loss::{
    BinaryCrossentropy, CategoricalCrossentropy, MeanAbsoluteError, MeanSquaredError,
    SparseCategoricalCrossentropy,
};
pub use crate::metric::{
    Accuracy, Auc, Average, ClassificationReport, ConfusionMatrix, Curve, F1Score, FBetaScore, Goal,
    Precision, R2Score, Recall, RootMeanSquaredError, Summation, TopKAccuracy, Weighted, metric_fn,
};
pub use crate::optimizer::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, Ftrl, Lion, Nadam, Optimizer, RmsProp, Sgd,
};
pub use crate::{
    Activation, Constraint, Error, Evaluate, Fit, History, Initializer, Regularizer, Result, Rng, Scalar,
    Sequential,
};
