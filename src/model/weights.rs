//! Weights by path: `F1/kernel` is the kernel of layer `F1`; an inner layer adds a component to the path.

use ndarray::{ArrayBase, ArrayD, ArrayViewD, Data, Dimension};

use super::Sequential;
use crate::error::{Error, Result};
use crate::param::Param;
use crate::scalar::{Element, Scalar};

impl<F: Scalar> Sequential<F> {
    /// Returns all weights with their paths, layer by layer.
    ///
    /// # Errors
    /// [`Error::NotBuilt`] if the model is not built.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([3]).add(Dense::new(2).name("F1"));
    /// model.build()?;
    /// let paths: Vec<String> = model.weights()?.into_iter().map(|(path, _)| path).collect();
    /// assert_eq!(paths, ["F1/kernel", "F1/bias"]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn weights(&self) -> Result<Vec<(String, ArrayViewD<'_, F>)>> {
        if !self.is_built() {
            return Err(Error::NotBuilt);
        }
        let mut weights = Vec::new();
        self.walk(&mut |path, _, param| weights.push((path, param.array())));
        Ok(weights)
    }

    /// Returns the weight with this path, such as `F1/kernel`.
    ///
    /// # Errors
    /// [`Error::NotBuilt`], or [`Error::Unknown`] for an unknown path.
    ///
    /// # Example
    /// ```
    /// # use cornu::prelude::*;
    /// let mut model = Sequential::new().input([3]).add(Dense::new(2).name("F1"));
    /// model.build()?;
    /// assert_eq!(model.weight("F1/kernel")?.shape(), [3, 2]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn weight(&self, path: &str) -> Result<ArrayViewD<'_, F>> {
        let mut weights = self.weights()?;
        match weights.iter().position(|(known, _)| known == path) {
            Some(place) => Ok(weights.swap_remove(place).1),
            None => Err(Error::Unknown {
                what: "weight",
                name: path.into(),
                known: weights.into_iter().map(|(path, _)| path).collect(),
            }),
        }
    }

    /// Sets the weight with this path to the values of an array of the same shape.
    ///
    /// # Errors
    /// [`Error::NotBuilt`], [`Error::Unknown`], [`Error::WeightShape`]. The model is then unchanged.
    ///
    /// # Example
    /// ```
    /// # use cornu::prelude::*;
    /// let mut model = Sequential::new().input([3]).add(Dense::new(2).name("F1"));
    /// model.build()?;
    /// model.set_weight("F1/bias", &ndarray::array![0.5, -0.5])?;
    /// assert_eq!(model.weight("F1/bias")?[1], -0.5);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn set_weight<T, S, D>(&mut self, path: &str, value: &ArrayBase<S, D>) -> Result<()>
    where
        T: Element<F>,
        S: Data<Elem = T>,
        D: Dimension,
    {
        let shape = self.weight(path)?.shape().to_vec();
        if shape != value.shape() {
            return Err(Error::WeightShape {
                path: path.into(),
                expected: shape,
                found: value.shape().to_vec(),
            });
        }
        let paths: Vec<String> = self.weights()?.into_iter().map(|(path, _)| path).collect();
        let mut paths = paths.iter();
        self.walk_mut(&mut |_, param| {
            if paths.next().is_some_and(|known| known == path) {
                param.value_mut().iter_mut().zip(value).for_each(|(to, from)| *to = from.cast());
            }
        });
        Ok(())
    }

    /// Sets all weights of a layer, in the order of [`Sequential::weights`].
    ///
    /// # Errors
    /// [`Error::NotBuilt`], [`Error::Unknown`], [`Error::WeightCount`], [`Error::WeightShape`]. The model is then
    /// unchanged.
    ///
    /// # Example
    /// ```
    /// # use cornu::prelude::*;
    /// let mut model = Sequential::new().input([1]).add(Dense::new(1).name("F1"));
    /// model.build()?;
    /// let kernel_and_bias = [ndarray::arr2(&[[2.0f32]]).into_dyn(), ndarray::arr1(&[1.0]).into_dyn()];
    /// model.set_weights("F1", &kernel_and_bias)?;
    /// assert_eq!(model.predict(&ndarray::array![[3.0]])?[[0, 0]], 7.0);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn set_weights(&mut self, layer: &str, values: &[ArrayD<F>]) -> Result<()> {
        if !self.is_built() {
            return Err(Error::NotBuilt);
        }
        let mut shapes = Vec::new();
        self.layer(layer)?.walk("", &mut |path, _, param| shapes.push((path, param.shape().to_vec())));
        if shapes.len() != values.len() {
            return Err(Error::WeightCount {
                name: layer.into(),
                expected: shapes.len(),
                found: values.len(),
            });
        }
        for ((path, expected), value) in shapes.into_iter().zip(values) {
            if expected != value.shape() {
                return Err(Error::WeightShape { path, expected, found: value.shape().to_vec() });
            }
        }
        let mut values = values.iter();
        for known in self.layers.iter_mut().filter(|known| known.label() == layer) {
            known.walk_mut(&mut |_, param| {
                if let Some(value) = values.next() {
                    param.value_mut().iter_mut().zip(value).for_each(|(to, from)| *to = *from);
                }
            });
        }
        Ok(())
    }

    /// Visits every parameter with its path and whether its layer is trained.
    pub(crate) fn walk<'a>(&'a self, f: &mut dyn FnMut(String, bool, &'a Param<F>)) {
        self.layers.iter().for_each(|layer| layer.walk("", f));
    }

    /// The penalty of the trained parameters' regularizers.
    pub(crate) fn weight_penalty(&self) -> f64 {
        let mut penalty = 0.0;
        self.layers.iter().for_each(|layer| {
            layer.each_param(&mut |trained, param| {
                if let (true, Some(regularizer)) = (trained && param.is_trainable(), &param.regularizer) {
                    penalty += regularizer.penalty(param.value());
                }
            })
        });
        penalty
    }

    /// Visits every parameter mutably, in the same order, with whether its layer is trained.
    pub(crate) fn walk_mut(&mut self, f: &mut dyn FnMut(bool, &mut Param<F>)) {
        self.layers.iter_mut().for_each(|layer| layer.walk_mut(f));
    }
}
