//! The reference values in `table.json`, computed by PyTorch in `table.py`, and the problem that they belong to.

use std::sync::LazyLock;

use serde::Deserialize;
use tch::{Kind, Tensor};
use tch_lightning::optim::{Algorithm, Optimizer, ParameterGroups, Progress};

#[derive(Deserialize)]
pub struct Table {
    inputs: Vec<[f64; 3]>,
    targets: Vec<[f64; 2]>,
    weight: Vec<[f64; 2]>,
    bias: Vec<f64>,
    pub steps: usize,
    pub shown: Vec<usize>,
    halve_lr_at: usize,
    pub cases: Vec<Case>,
    pub clipping: Clipping,
}

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub algorithm: Algorithm,
    /// The algorithm of the bias, if it is in a separate group.
    bias: Option<Algorithm>,
    /// The pattern of the parameters that are optimized, if not all are.
    over: Option<String>,
    maximize: bool,
    dtype: Dtype,
    bias_from: usize,
    loss: Loss,
    /// The steps at which the loss is infinite; if given, the loss is scaled.
    infinite_at: Option<Vec<usize>>,
    /// The values after the steps in `shown`.
    points: Vec<Vec<f64>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Loss {
    Square,
    Log,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Dtype {
    Float32,
    Float64,
    Complex64,
}

#[derive(Deserialize)]
pub struct Clipping {
    pub gradients: (Vec<[f32; 2]>, Vec<f32>),
    pub by_norm: Vec<ClippedByNorm>,
    pub by_value: Vec<ClippedByValue>,
}

#[derive(Deserialize)]
pub struct ClippedByNorm {
    pub limit: f64,
    pub norm: f64,
    pub clipped: Vec<f64>,
}

#[derive(Deserialize)]
pub struct ClippedByValue {
    pub limit: f64,
    pub clipped: Vec<f64>,
}

pub static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("table.json")).expect("table.json has the table's form"));

impl Case {
    /// Returns the case of this name.
    pub fn named(name: &str) -> &'static Case {
        let mut cases = TABLE.cases.iter();
        cases.find(|case| case.name == name).unwrap_or_else(|| panic!("table.json has no case `{name}`"))
    }

    fn tensor<const N: usize>(&self, rows: &[[f64; N]]) -> Tensor {
        self.cast(Tensor::from_slice(rows.as_flattened()).view([-1, N as i64]))
    }

    fn cast(&self, real: Tensor) -> Tensor {
        match self.dtype {
            Dtype::Float32 => real.to_kind(Kind::Float),
            Dtype::Float64 => real,
            Dtype::Complex64 => Tensor::complex(&real, &(real.flip([0]) * 0.4)).to_kind(Kind::ComplexFloat),
        }
    }

    /// Returns the algorithm, or the groups.
    fn groups(&self) -> ParameterGroups {
        let groups = match &self.over {
            Some(pattern) => self.algorithm.clone().over(pattern),
            None => ParameterGroups::new(self.algorithm.clone()),
        };
        match &self.bias {
            Some(bias) => groups.group("bias", bias.clone()),
            None => groups,
        }
    }

    /// Returns the values after a step, if they are in the table.
    pub fn point(&self, step: usize) -> Option<&[f64]> {
        let index = TABLE.shown.iter().position(|shown| *shown == step)?;
        Some(&self.points[index])
    }

    /// The tolerance, relative to the larger of the value and 0.1.
    pub fn tolerance(&self) -> f64 {
        if self.dtype == Dtype::Float64 { 1e-10 } else { 1e-5 }
    }
}

/// The memory layout of a parameter: libtorch's fused kernels support only the first.
#[derive(Clone, Copy)]
pub enum Memory {
    Dense,
    WithGaps,
}

impl Memory {
    /// Returns a parameter with these values.
    pub fn parameter(self, values: &Tensor) -> Tensor {
        let parameter = match self {
            Memory::Dense => values.copy(),
            Memory::WithGaps => Tensor::stack(&[values, values], -1).select(-1, 0),
        };
        parameter.detach().set_requires_grad(true)
    }
}

/// A linear model in training, the same as in `table.py`.
pub struct Problem {
    case: &'static Case,
    inputs: Tensor,
    targets: Tensor,
    pub weight: Tensor,
    pub bias: Tensor,
    pub optimizer: Optimizer,
}

impl Problem {
    pub fn new(case: &'static Case, memory: Memory) -> Self {
        let weight = memory.parameter(&case.tensor(&TABLE.weight));
        let bias = memory.parameter(&case.cast(Tensor::from_slice(&TABLE.bias)));
        let parameters = vec![("weight".to_owned(), weight.shallow_clone()), ("bias".to_owned(), bias.shallow_clone())];
        Self {
            case,
            inputs: case.tensor(&TABLE.inputs),
            targets: case.tensor(&TABLE.targets),
            optimizer: Optimizer::new(case.groups(), parameters).unwrap(),
            weight,
            bias,
        }
    }

    /// Returns a copy whose optimizer was restored by `state` and `load_state`.
    pub fn resumed(&self) -> Self {
        let mut resumed = Self::new(self.case, Memory::Dense);
        tch::no_grad(|| {
            resumed.weight.copy_(&self.weight);
            resumed.bias.copy_(&self.bias);
        });
        resumed.optimizer.load_state(self.optimizer.state().unwrap()).unwrap();
        for (resumed, own) in resumed.optimizer.groups_mut().iter_mut().zip(self.optimizer.groups()) {
            resumed.set_algorithm(own.algorithm().clone()).unwrap();
        }
        resumed
    }

    /// Takes the step of this index, and returns the parameters' values after it.
    pub fn step(&mut self, step: usize) -> Vec<f64> {
        if step == TABLE.halve_lr_at {
            for group in self.optimizer.groups_mut() {
                group.set_lr(group.lr() / 2.0);
            }
        }
        match &self.case.infinite_at {
            Some(infinite_at) => self.step_scaled(step, infinite_at.contains(&step)),
            None => loop {
                self.optimizer.zero_grad().unwrap();
                let loss = self.loss(step);
                loss.backward();
                if self.optimizer.step_on(Some(&loss)).unwrap() == Progress::Done {
                    break;
                }
            },
        }
        flat(&[self.weight.detach(), self.bias.detach()])
    }

    fn step_scaled(&mut self, step: usize, is_infinite: bool) {
        const SCALE: f64 = 1024.0;
        self.optimizer.zero_grad().unwrap();
        let factor = if is_infinite { f64::INFINITY } else { SCALE };
        (self.loss(step) * factor).backward();
        let found_inf = Tensor::from(0f32);
        self.optimizer.unscale_gradients(&Tensor::from(1.0 / SCALE as f32), &found_inf).unwrap();
        assert_eq!(found_inf.double_value(&[]) == 1.0, is_infinite, "{}, step {step}", self.case.name);
        self.optimizer.step_unless(&found_inf).unwrap();
    }

    fn loss(&self, step: usize) -> Tensor {
        // not a matrix product, which rounds differently on other processors
        let mut outputs = (self.inputs.unsqueeze(2) * self.weight.contiguous()).sum_dim_intlist(1, false, None);
        if step >= self.case.bias_from {
            outputs += &self.bias;
        }
        let squares = (outputs - &self.targets).abs().square();
        let loss = if self.case.loss == Loss::Log { squares.log1p() } else { squares }.mean(None);
        if self.case.maximize { -loss } else { loss }
    }
}

/// Returns all elements; a complex number is two elements.
pub fn flat(tensors: &[Tensor]) -> Vec<f64> {
    let real = |tensor: &Tensor| if tensor.is_complex() { tensor.view_as_real() } else { tensor.shallow_clone() };
    let flats: Vec<Tensor> = tensors.iter().map(|tensor| real(tensor).to_kind(Kind::Double).flatten(0, -1)).collect();
    Vec::<f64>::try_from(Tensor::cat(&flats, 0)).unwrap()
}
