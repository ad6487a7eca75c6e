//! Every layer that supports only some shapes refuses the others when it is built: the error states the supported ones
//! as data and in words.

use cornu::error::ExpectedAxis::{self, AtLeast, Length, Named, Others};
use cornu::error::ExpectedShape::{
    self, Axes, Count, CountMultipleOf, EvenLastAxis, Features, LayerOutput, NotEmpty, Rank,
};
use cornu::layer::{BuildContext, NamedLayer};
use cornu::prelude::*;

/// Builds a layer for samples of this shape, and checks the error.
#[track_caller]
fn refuses(layer: impl Layer<f32> + 'static, shape: &[usize], wanted: &ExpectedShape) {
    let mut layer: NamedLayer<f32> = layer.into_named();
    let error = match layer.build(shape, &mut BuildContext::new(Rng::new(1))) {
        // That of a layer within the layer.
        Err(Error::Layer { fault, .. }) => *fault,
        Err(error) => error,
        Ok(output) => panic!("{layer:?}: {output:?}"),
    };
    let Error::InputShape { expected, found } = error else { panic!("{layer:?}: {error:?}") };
    assert_eq!((&expected, &*found), (wanted, shape));
    assert!(layer.input_shape().is_none(), "{layer:?} is built");
}

fn named(names: &[&'static str]) -> ExpectedShape {
    Axes(names.iter().copied().map(Named).collect())
}

#[test]
fn layers_of_sequences_refuse_other_shapes() {
    let expected = named(&["steps", "channels"]);
    for shape in [&[10][..], &[10, 4, 2], &[0, 4], &[10, 0], &[]] {
        refuses(Conv1D::new(2, 3), shape, &expected);
        refuses(Conv1DTranspose::new(2, 3), shape, &expected);
        refuses(DepthwiseConv1D::new(3), shape, &expected);
        refuses(SeparableConv1D::new(2, 3), shape, &expected);
        refuses(MaxPooling1D::new(2), shape, &expected);
        refuses(AveragePooling1D::new(2), shape, &expected);
        refuses(GlobalMaxPooling1D::new(), shape, &expected);
        refuses(GlobalAveragePooling1D::new(), shape, &expected);
        refuses(AdaptiveMaxPooling1D::new(2), shape, &expected);
        refuses(AdaptiveAveragePooling1D::new(2), shape, &expected);
        refuses(SpatialDropout1D::new(0.1), shape, &expected);
        refuses(ZeroPadding1D::new(1, 1), shape, &expected);
        refuses(Cropping1D::new(1, 1), shape, &expected);
        refuses(UpSampling1D::new(2), shape, &expected);
        let inputs = named(&["steps", "inputs"]);
        refuses(SimpleRnn::new(3), shape, &inputs);
        refuses(Lstm::new(3), shape, &inputs);
        refuses(Gru::new(3), shape, &inputs);
        refuses(Bidirectional::new(Lstm::new(3)), shape, &inputs);
    }
}

#[test]
fn windows_refuse_shorter_inputs() {
    let steps = |length| Axes(vec![AtLeast { name: "steps", length }, Named("channels")]);
    refuses(Conv1D::new(2, 11), &[10, 4], &steps(11));
    refuses(Conv1D::new(2, 6).dilation_rate(2), &[10, 4], &steps(11));
    refuses(DepthwiseConv1D::new(11), &[10, 4], &steps(11));
    refuses(SeparableConv1D::new(2, 11), &[10, 4], &steps(11));
    refuses(MaxPooling1D::new(11), &[10, 4], &steps(11));
    refuses(AveragePooling1D::new(11), &[10, 4], &steps(11));
    refuses(Cropping1D::new(5, 5), &[10, 4], &steps(11));
    refuses(Cropping1D::new(usize::MAX, 1), &[10, 4], &steps(usize::MAX));
    let width = |length| Axes(vec![Named("height"), AtLeast { name: "width", length }, Named("channels")]);
    refuses(Conv2D::new(2, [3, 5]), &[3, 4, 1], &width(5));
    refuses(DepthwiseConv2D::new([3, 3]).dilation_rate([1, 2]), &[3, 4, 1], &width(5));
    refuses(SeparableConv2D::new(2, [3, 5]), &[3, 4, 1], &width(5));
    refuses(MaxPooling2D::new([3, 5]), &[3, 4, 1], &width(5));
    refuses(Cropping2D::new([0, 0], [2, 2]), &[3, 4, 1], &width(5));
    refuses(Cropping2D::new([1, 1], [usize::MAX, 1]), &[3, 4, 1], &width(usize::MAX));
    assert_eq!(width(5).to_string(), "(height, width of at least 5, channels)");
}

#[test]
fn layers_of_images_and_of_vectors_refuse_other_shapes() {
    let expected = named(&["height", "width", "channels"]);
    for shape in [&[10, 4][..], &[10, 4, 3, 2], &[0, 4, 2], &[]] {
        refuses(Conv2D::new(2, [3, 3]), shape, &expected);
        refuses(Conv2DTranspose::new(2, [3, 3]), shape, &expected);
        refuses(DepthwiseConv2D::new([3, 3]), shape, &expected);
        refuses(SeparableConv2D::new(2, [3, 3]), shape, &expected);
        refuses(MaxPooling2D::new([2, 2]), shape, &expected);
        refuses(AveragePooling2D::new([2, 2]), shape, &expected);
        refuses(GlobalMaxPooling2D::new(), shape, &expected);
        refuses(GlobalAveragePooling2D::new(), shape, &expected);
        refuses(ZeroPadding2D::new([1, 1], [1, 1]), shape, &expected);
        refuses(SpatialDropout2D::new(0.1), shape, &expected);
        refuses(Cropping2D::new([1, 1], [1, 1]), shape, &expected);
        refuses(UpSampling2D::new([2, 2]), shape, &expected);
        refuses(AdaptiveMaxPooling2D::new([2, 2]), shape, &expected);
        refuses(AdaptiveAveragePooling2D::new([2, 2]), shape, &expected);
        refuses(RepeatVector::new(2), shape, &named(&["features"]));
    }
}

#[test]
fn layers_of_any_rank_refuse_shapes_without_numbers() {
    let last = |name| Axes(vec![Others, Named(name)]);
    for shape in [&[0][..], &[3, 0], &[0, 3]] {
        refuses(Dense::new(2), shape, &last("inputs"));
        refuses(BatchNormalization::new(), shape, &last("channels"));
        refuses(LayerNormalization::new(), shape, &last("channels"));
        refuses(RmsNormalization::new(), shape, &last("channels"));
        refuses(GroupNormalization::new(), shape, &last("channels"));
        refuses(UnitNormalization::new(), shape, &NotEmpty);
        refuses(PRelu::new(), shape, &NotEmpty);
        refuses(Dropout::new(0.1), shape, &NotEmpty);
        refuses(AlphaDropout::new(0.1), shape, &NotEmpty);
        refuses(GaussianDropout::new(0.1), shape, &NotEmpty);
        refuses(GaussianNoise::new(0.1), shape, &NotEmpty);
    }
    refuses(Dense::new(2), &[], &last("inputs"));
    refuses(BatchNormalization::new(), &[], &last("channels"));
    refuses(LayerNormalization::new(), &[], &last("channels"));
    refuses(Activation::Relu, &[], &last("channels"));
}

#[test]
fn the_other_conditions_on_shapes_are_stated() {
    let steps = Axes(vec![Named("steps"), Others]);
    for shape in [&[10][..], &[0, 4], &[]] {
        refuses(TimeDistributed::new(Dense::new(2)), shape, &steps);
    }
    refuses(Activation::Glu, &[3], &EvenLastAxis);
    refuses(Residual::new().add(Dense::new(3)), &[10, 4], &LayerOutput(vec![10, 3]));
    refuses(Normalization::new().statistics([0.0; 3], [1.0; 3]), &[2], &Features(3));

    let mut layer: NamedLayer = Dense::new(2).into_named();
    let mut context = BuildContext::new(Rng::new(1));
    layer.build(&[5, 3], &mut context).unwrap();
    match layer.build(&[4, 3], &mut context) {
        Err(Error::InputShape { expected, found }) => {
            assert_eq!((expected, &*found), (Axes(vec![Length(5), Length(3)]), &[4, 3][..]));
        }
        other => panic!("{other:?}"),
    }
    layer.build(&[5, 3], &mut context).unwrap();
}

#[test]
fn expected_shapes_are_written_as_in_the_documentation() {
    let axes = |axes: &[ExpectedAxis]| Axes(axes.to_vec());
    for (expected, text) in [
        (axes(&[Named("steps"), Named("channels")]), "(steps, channels)"),
        (axes(&[Others, Named("inputs")]), "(..., inputs)"),
        (axes(&[Named("steps"), Others]), "(steps, ...)"),
        (axes(&[Length(5), Length(3)]), "(5, 3)"),
        (NotEmpty, "(...), with no axis of length 0"),
        (EvenLastAxis, "(..., an even number) for glu"),
        (Features(3), "(..., 3), as in the data to which it was adapted"),
        (LayerOutput(vec![10, 3]), "(10, 3), the output of its layers"),
        (Rank { least: 3, most: Some(3) }, "(...), with 3 axes"),
        (Rank { least: 2, most: Some(4) }, "(...), with 2 to 4 axes"),
        (Rank { least: 3, most: None }, "(...), with at least 3 axes"),
        (Count(39), "(...), with 39 values"),
        (CountMultipleOf(7), "(...), with a multiple of 7 values"),
    ] {
        let error = Error::InputShape { expected, found: vec![10, 4] };
        assert_eq!(error.to_string(), format!("expected an input of shape {text}, found (10, 4)"));
    }
}
