//! The imports of most programs that train a network: `use cornu::prelude::*;`.

#[cfg(feature = "tensorboard")]
pub use crate::callback::TensorBoard;
pub use crate::callback::{
    BackupAndRestore, CsvLogger, EarlyStopping, Flow, Histograms, LambdaCallback, LearningRateScheduler,
    ModelCheckpoint, ReduceLearningRateOnPlateau, TerminateOnNaN, Verbose,
};
pub use crate::data::{BatchSource, ClassWeight, LabelEncoder, source_fn, to_categorical};
pub use crate::diagnosis::Diagnose;
pub use crate::layer::families::*;
pub use crate::layer::{Layer, LayerExt, Padding};
pub use crate::loss::{
    BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle, CosineSimilarity, Dice, Hinge, Huber,
    KlDivergence, LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge, Tversky, loss_fn,
};
pub use crate::metric::{
    Accuracy, Auc, Average, BinaryIou, CalibrationCurve, ClassificationReport, ConcordanceCorrelation,
    ConfusionMatrix, Curve, F1Score, FBetaScore, Goal, Iou, MeanIou, MeanLoss, OneHotIou, OneHotMeanIou,
    PearsonCorrelation, Precision, PrecisionAtRecall, PrecisionRecallCurve, R2Score, Recall,
    RecallAtPrecision, RocCurve, RootMeanSquaredError, SensitivityAtSpecificity, SpecificityAtSensitivity,
    Summation, TopKAccuracy, Weighted, metric_fn,
};
pub use crate::optimizer::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, Muon, Nadam, Optimizer,
    OptimizerExt, RmsProp, Sgd,
};
#[cfg(feature = "report")]
pub use crate::report::Report;
pub use crate::{
    Activation, Constraint, Error, Evaluate, Fit, History, Initializer, Regularizer, Result, Rng, Scalar,
    Sequential, ndarray,
};
