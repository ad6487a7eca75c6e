//! The imports of most programs that train a network: `use cornu::prelude::*;`.

#[cfg(feature = "tensorboard")]
pub use crate::callback::TensorBoard;
pub use crate::callback::{
    BackupAndRestore, CsvLogger, EarlyStopping, Flow, Histograms, LambdaCallback, LearningRateScheduler,
    ModelCheckpoint, ReduceLearningRateOnPlateau, TerminateOnNaN, Verbose,
};
pub use crate::data::{BatchSource, ClassWeight, LabelEncoder, source_fn, to_categorical};
pub use crate::diagnosis::Diagnose;
pub use crate::layer::{
    AlphaDropout, AveragePooling1D, AveragePooling2D, BatchNormalization, Bidirectional, Conv1D, Conv2D,
    Cropping1D, Dense, DepthwiseConv1D, Dropout, Elu, Embedding, Flatten, GaussianDropout, GaussianNoise,
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D, Gru, Layer,
    LayerExt, LayerNormalization, LeakyRelu, Lstm, MaxPooling1D, MaxPooling2D, MergeMode, Normalization,
    PRelu, Padding, Permute, Relu, RepeatVector, Rescaling, Reshape, Residual, SeparableConv1D, SimpleRnn,
    Softmax, SpatialDropout1D, TimeDistributed, UnitNormalization, UpSampling1D, ZeroPadding1D,
    ZeroPadding2D,
};
pub use crate::loss::{
    BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
    CategoricalHinge, CosineSimilarity, Hinge, Huber, KlDivergence, LogCosh, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
    SparseCategoricalCrossentropy, SquaredHinge, loss_fn,
};
pub use crate::metric::{
    Accuracy, Auc, Average, CalibrationCurve, ClassificationReport, ConfusionMatrix, Curve, F1Score,
    FBetaScore, Goal, Precision, PrecisionRecallCurve, R2Score, Recall, RocCurve, RootMeanSquaredError,
    Summation, TopKAccuracy, Weighted, metric_fn,
};
pub use crate::optimizer::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, Ftrl, Lion, Nadam, Optimizer, OptimizerExt, RmsProp, Sgd,
};
#[cfg(feature = "report")]
pub use crate::report::Report;
pub use crate::{
    Activation, Constraint, Error, Evaluate, Fit, History, Initializer, Regularizer, Result, Rng, Scalar,
    Sequential, ndarray,
};
