//! Values and slopes of the elementwise activations; each arm of a `match` is one tight loop.

use super::Activation::{self, *};
use super::functions::{clip, gelu_inner, relu6, sigmoid, step, tanh_shrink};
use super::rowwise;
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// `y ← f(y)`, elementwise. A macro, so that the loop is compiled for each instruction set; see `simd`.
macro_rules! map {
    ($y:expr, |$x:ident| $value:expr) => {{
        let mut y = $y;
        let y = y.data();
        kernel::pieces(y.len(), [y], &move |_, [y]| {
            kernel::simd!(move || y.iter_mut().for_each(|y| {
                let $x = *y;
                *y = $value;
            }));
        });
    }};
}

/// `dy ← dy · slope(at)`, elementwise.
macro_rules! scale {
    ($at:expr, $dy:expr, |$x:ident| $slope:expr) => {{
        let (at, mut dy) = ($at.data(), $dy);
        let dy = dy.data();
        kernel::pieces(dy.len(), [dy], &move |range, [dy]| {
            let at = &at[range];
            kernel::simd!(move || dy.iter_mut().zip(at).for_each(|(dy, at)| {
                let $x = *at;
                *dy *= $slope;
            }));
        });
    }};
}

impl Activation {
    /// `y = f(x)`, over the last axis if the function is not elementwise.
    pub(crate) fn forward<F: Scalar>(&self, x: Batch<F>, mut y: BatchMut<F>) {
        if *self == Glu {
            return rowwise::glu(x, y);
        }
        if self.is_rowwise() {
            y.data().copy_from_slice(x.data());
            return self.apply(y);
        }
        // Each piece is still in the cache when it is changed.
        kernel::pieces(y.data().len(), [y.data()], &|range, [y]| {
            y.copy_from_slice(&x.data()[range]);
            self.apply(BatchMut::new(y, 1));
        });
    }

    /// `y ← f(y)`, in place. `Glu`, whose width changes, is left unchanged.
    pub(crate) fn apply<F: Scalar>(&self, y: BatchMut<F>) {
        let (zero, one, two, three, six) = (F::zero(), F::one(), F::of(2.0), F::of(3.0), F::of(6.0));
        let of = F::of;
        match *self {
            Linear | Glu => {}
            Softmax => kernel::softmax(y),
            LogSoftmax => rowwise::log_softmax(y),
            Sparsemax => rowwise::sparsemax(y),
            Relu => map!(y, |x| if x < zero { zero } else { x }),
            Relu6 => map!(y, |x| relu6(x)),
            ReluWith { negative_slope, max_value, threshold } => {
                let (s, t) = (of(negative_slope), of(threshold));
                let (low, high) = bounds(max_value);
                map!(y, |x| if x > t { clip(x, low, high) } else { s * (x - t) })
            }
            LeakyRelu { negative_slope } => {
                let s = of(negative_slope);
                map!(y, |x| if x < zero { s * x } else { x })
            }
            Elu { alpha } => {
                let a = of(alpha);
                map!(y, |x| if x > zero { x } else { a * x.exponential_m1() })
            }
            Celu { alpha } => {
                let a = of(alpha);
                map!(y, |x| if x > zero { x } else { a * (x / a).exponential_m1() })
            }
            Selu => {
                let (s, a) = (of(SELU_SCALE), of(SELU_ALPHA));
                map!(y, |x| s * if x > zero { x } else { a * x.exponential_m1() })
            }
            Sigmoid => map!(y, |x| sigmoid(x)),
            LogSigmoid => map!(y, |x| -(-x).softplus()),
            HardSigmoid => map!(y, |x| relu6(x + three) / six),
            Silu => map!(y, |x| x * sigmoid(x)),
            HardSilu => map!(y, |x| x * relu6(x + three) / six),
            Tanh => map!(y, |x| x.hyperbolic_tangent()),
            TanhShrink => map!(y, |x| tanh_shrink(x)),
            HardTanh => map!(y, |x| clip(x, -one, one)),
            Softplus => map!(y, |x| x.softplus()),
            Softsign => map!(y, |x| x / (one + x.abs())),
            Squareplus { b } => {
                let b = of(b);
                map!(y, |x| {
                    let root = (x * x + b).sqrt();
                    if x < zero { b / two / (root - x) } else { (x + root) / two }
                })
            }
            SparsePlus => map!(y, |x| {
                if x <= -one {
                    zero
                } else if x < one {
                    (x + one) * (x + one) / of(4.0)
                } else {
                    x
                }
            }),
            SparseSigmoid => map!(y, |x| clip((x + one) / two, zero, one)),
            Gelu { approximate: false } => map!(y, |x| x * x.normal_distribution()[0]),
            // ½·(1 + tanh u) = σ(2u), of which the first loses small values.
            Gelu { approximate: true } => map!(y, |x| {
                let u = gelu_inner(x);
                if x < zero { x * sigmoid(u + u) } else { x / two * (one + u.hyperbolic_tangent()) }
            }),
            Mish => map!(y, |x| x * x.softplus().hyperbolic_tangent()),
            SoftShrink { threshold } => {
                let t = of(threshold);
                map!(y, |x| {
                    if x > t {
                        x - t
                    } else if x < -t {
                        x + t
                    } else {
                        x * zero
                    }
                })
            }
            HardShrink { threshold } => {
                let t = of(threshold);
                map!(y, |x| if x.abs() > t { x } else { x * zero })
            }
            Threshold { threshold, default_value } => {
                let (t, default) = (of(threshold), of(default_value));
                map!(y, |x| if x <= t { default } else { x })
            }
            Exponential => map!(y, |x| x.exponential()),
        }
    }

    /// `dx = dy · f'`, as [`Activation::backward`]; not for `Glu`.
    pub(crate) fn propagate<F: Scalar>(&self, x: Batch<F>, y: Batch<F>, dy: Batch<F>, mut dx: BatchMut<F>) {
        if self.is_rowwise() {
            dx.data().copy_from_slice(dy.data());
            return self.backward(x, y, dx);
        }
        kernel::pieces(dx.data().len(), [dx.data()], &|range, [dx]| {
            dx.copy_from_slice(&dy.data()[range.clone()]);
            let [x, y] = [x, y].map(|batch| Batch::new(&batch.data()[range.clone()], 1));
            self.backward(x, y, BatchMut::new(dx, 1));
        });
    }

    /// `dy ← dy · f'`, the gradient of the input, in place.
    ///
    /// `x` is read only if [`Activation::slope_from_output`] is false. `Glu` has [`rowwise::glu_backward`].
    pub(crate) fn backward<F: Scalar>(&self, x: Batch<F>, y: Batch<F>, dy: BatchMut<F>) {
        let (zero, half, one, two, three, six) =
            (F::zero(), F::of(0.5), F::one(), F::of(2.0), F::of(3.0), F::of(6.0));
        let of = F::of;
        match *self {
            Linear | Glu => {}
            Softmax => rowwise::softmax_slope(y, dy),
            LogSoftmax => rowwise::log_softmax_slope(y, dy),
            Sparsemax => rowwise::sparsemax_slope(y, dy),
            Relu => scale!(y, dy, |y| step(y > zero)),
            Relu6 => scale!(y, dy, |y| step(y > zero && y < six)),
            ReluWith { negative_slope, max_value, threshold } => {
                let (s, t) = (of(negative_slope), of(threshold));
                let (low, high) = bounds(max_value);
                // Keras's functions differ at their edges: leaky ReLU has slope 1 at 0, and ReLU6 slope 0 at 6.
                let at_threshold = step(max_value.is_none() && threshold == 0.0 && negative_slope != 0.0);
                let at_high = if max_value == Some(6.0) && threshold == 0.0 { zero } else { half };
                let above = |x: F, bound: F, at: F| if x == bound { at } else { step(x > bound) };
                scale!(x, dy, |x| {
                    if x > t {
                        above(x, low, half) * above(-x, -high, at_high)
                    } else if x < t {
                        s
                    } else {
                        at_threshold
                    }
                })
            }
            LeakyRelu { negative_slope } => {
                let s = of(negative_slope);
                scale!(x, dy, |x| if x < zero { s } else { one })
            }
            Elu { alpha } => {
                let a = of(alpha);
                scale!(x, dy, |x| if x > zero { one } else { a * x.exponential() })
            }
            Celu { alpha } => {
                let a = of(alpha);
                scale!(x, dy, |x| if x > zero { one } else { (x / a).exponential() })
            }
            Selu => {
                let (s, a) = (of(SELU_SCALE), of(SELU_ALPHA));
                scale!(x, dy, |x| if x > zero { s } else { s * a * x.exponential() })
            }
            Sigmoid => scale!(y, dy, |y| y * (one - y)),
            LogSigmoid => scale!(x, dy, |x| sigmoid(-x)),
            HardSigmoid => scale!(x, dy, |x| step::<F>(x.abs() < three) / six),
            Silu => scale!(x, dy, |x| {
                let s = sigmoid(x);
                s * (one + x * (one - s))
            }),
            HardSilu => scale!(x, dy, |x| relu6(x + three) / six + x * step(x.abs() < three) / six),
            Tanh => scale!(y, dy, |y| one - y * y),
            TanhShrink => scale!(x, dy, |x| x.hyperbolic_tangent().powi(2)),
            HardTanh => scale!(x, dy, |x| step(x.abs() <= one)),
            Softplus => scale!(x, dy, |x| sigmoid(x)),
            Softsign => scale!(x, dy, |x| (one + x.abs()).powi(-2)),
            Squareplus { b } => {
                let b = of(b);
                scale!(x, dy, |x| {
                    let root = (x * x + b).sqrt();
                    if x < zero { b / (two * root * (root - x)) } else { (one + x / root) / two }
                })
            }
            SparsePlus => scale!(x, dy, |x| clip((x + one) / two, zero, one)),
            SparseSigmoid => {
                scale!(x, dy, |x| half * (step::<F>(x.abs() < one) + half * step(x.abs() == one)))
            }
            Gelu { approximate: false } => scale!(x, dy, |x| {
                let [distribution, density] = x.normal_distribution();
                distribution + x * density
            }),
            Gelu { approximate: true } => scale!(x, dy, |x| {
                let u = gelu_inner(x);
                let inner = of(std::f64::consts::FRAC_2_SQRT_PI / std::f64::consts::SQRT_2)
                    * (one + of(3.0 * 0.044715) * x * x);
                if x < zero {
                    let s = sigmoid(u + u);
                    s + x * s * (one - s) * (inner + inner)
                } else {
                    let t = u.hyperbolic_tangent();
                    half * (one + t) + half * x * (one - t * t) * inner
                }
            }),
            Mish => scale!(x, dy, |x| {
                let t = x.softplus().hyperbolic_tangent();
                t + x * (one - t * t) * sigmoid(x)
            }),
            SoftShrink { threshold } | HardShrink { threshold } => {
                let t = of(threshold);
                scale!(x, dy, |x| step(x.abs() > t))
            }
            Threshold { threshold, .. } => {
                let t = of(threshold);
                scale!(x, dy, |x| step(x > t))
            }
            Exponential => scale!(y, dy, |y| y),
        }
    }
}

/// The bounds of a ReLU above its threshold: 0 and the maximum, or none.
fn bounds<F: Scalar>(max_value: Option<f64>) -> (F, F) {
    max_value.map_or((F::neg_infinity(), F::infinity()), |max| (F::zero(), F::of(max)))
}
