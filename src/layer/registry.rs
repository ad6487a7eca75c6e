//! The built-in layers by their names in files.

use super::*;
use crate::activation::Activation;
use crate::config::{Constructor, Registry, built_in};

/// Returns the registry of the built-in layers.
pub(crate) fn registry<F: Scalar>() -> Registry<dyn Layer<F>> {
    let mut rows: Vec<Constructor<dyn Layer<F>>> = built_in![
        "Activation": Activation::Linear,
        "AdaptiveAveragePooling1D": AdaptiveAveragePooling1D::new(1),
        "AdaptiveAveragePooling2D": AdaptiveAveragePooling2D::new([1, 1]),
        "AdaptiveMaxPooling1D": AdaptiveMaxPooling1D::new(1),
        "AdaptiveMaxPooling2D": AdaptiveMaxPooling2D::new([1, 1]),
        "AlphaDropout": AlphaDropout::new(0.0),
        "AveragePooling1D": AveragePooling1D::new(1),
        "AveragePooling2D": AveragePooling2D::new([1, 1]),
        "BatchNormalization": BatchNormalization::new(),
        "CategoryEncoding": CategoryEncoding::new(1),
        "Conv1D": Conv1D::new(1, 1),
        "Conv1DTranspose": Conv1DTranspose::new(1, 1),
        "Conv2D": Conv2D::new(1, [1, 1]),
        "Conv2DTranspose": Conv2DTranspose::new(1, [1, 1]),
        "Cropping1D": Cropping1D::new(1, 1),
        "Cropping2D": Cropping2D::new([0, 0], [0, 0]),
        "Dense": Dense::new(1),
        "DepthwiseConv1D": DepthwiseConv1D::new(1),
        "DepthwiseConv2D": DepthwiseConv2D::new([1, 1]),
        "Discretization": Discretization::new([]),
        "Dropout": Dropout::new(0.0),
        "ELU": Elu::new(),
        "Embedding": Embedding::new(1, 1),
        "Flatten": Flatten::new(),
        "GRU": Gru::new(1),
        "GaussianDropout": GaussianDropout::new(0.0),
        "GaussianNoise": GaussianNoise::new(0.0),
        "GlobalAveragePooling1D": GlobalAveragePooling1D::new(),
        "GlobalAveragePooling2D": GlobalAveragePooling2D::new(),
        "GlobalMaxPooling1D": GlobalMaxPooling1D::new(),
        "GlobalMaxPooling2D": GlobalMaxPooling2D::new(),
        "GroupNormalization": GroupNormalization::new(),
        "LSTM": Lstm::new(1),
        "LayerNormalization": LayerNormalization::new(),
        "LeakyReLU": LeakyRelu::new(),
        "Masking": Masking::new(0.0),
        "MaxPooling1D": MaxPooling1D::new(1),
        "MaxPooling2D": MaxPooling2D::new([1, 1]),
        "Normalization": Normalization::new(),
        "PReLU": PRelu::new(),
        "Permute": Permute::new([1]),
        "RMSNormalization": RmsNormalization::new(),
        "ReLU": Relu::new(),
        "RepeatVector": RepeatVector::new(1),
        "Rescaling": Rescaling::new(1.0),
        "Reshape": Reshape::new([-1]),
        "SeparableConv1D": SeparableConv1D::new(1, 1),
        "SeparableConv2D": SeparableConv2D::new(1, [1, 1]),
        "SimpleRNN": SimpleRnn::new(1),
        "Softmax": Softmax::new(),
        "SpatialDropout1D": SpatialDropout1D::new(0.0),
        "SpatialDropout2D": SpatialDropout2D::new(0.0),
        "UnitNormalization": UnitNormalization::new(),
        "UpSampling1D": UpSampling1D::new(2),
        "UpSampling2D": UpSampling2D::new([2, 2]),
        "ZeroPadding1D": ZeroPadding1D::new(1, 1),
        "ZeroPadding2D": ZeroPadding2D::new([1, 1], [1, 1]),
    ];
    rows.push(("Bidirectional", recurrent::bidirectional_from_fields));
    rows.push(("Branches", container::branches_from_fields));
    rows.push(("RNN", recurrent::stacked_from_fields));
    rows.push(("Residual", container::residual_from_fields));
    rows.push(("TimeDistributed", container::time_distributed_from_fields));
    Registry::new("layer", rows)
}
