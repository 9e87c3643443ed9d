use tch::{TchError, Tensor};

/// A view of all parameters as one vector of real numbers.
#[derive(Clone, Copy)]
pub(super) struct Flat<'a>(pub(super) &'a [(String, Tensor)]);

impl Flat<'_> {
    /// Returns a copy of the gradients, `[elements]`, with zeros for parameters without a gradient.
    pub(super) fn gradient(self) -> Result<Tensor, TchError> {
        self.joined(|parameter| match parameter.f_grad()? {
            gradient if !gradient.defined() => parameter.f_zeros_like(),
            gradient if gradient.is_sparse() => gradient.f_to_dense(None, false),
            gradient => Ok(gradient),
        })
    }

    /// The number of real numbers.
    pub(super) fn elements(self) -> i64 {
        let parts = |tensor: &Tensor| if tensor.is_complex() { 2 } else { 1 };
        self.0.iter().map(|(_, tensor)| (tensor.numel() * parts(tensor)) as i64).sum()
    }

    /// Returns a vector of zeros with the length, the dtype and the device of the gradient.
    pub(super) fn zeros(self) -> Result<Tensor, TchError> {
        self.joined(Tensor::f_zeros_like)
    }

    fn joined(self, part: impl Fn(&Tensor) -> Result<Tensor, TchError>) -> Result<Tensor, TchError> {
        let parts = self.0.iter().map(|(_, parameter)| real(&part(parameter)?)?.f_reshape([-1]));
        Tensor::f_cat(&parts.collect::<Result<Vec<_>, _>>()?, 0)
    }

    /// Adds a vector to the parameters.
    pub(super) fn add(self, vector: &Tensor) -> Result<(), TchError> {
        let mut offset = 0;
        for (_, parameter) in self.0 {
            let mut parameter = real(parameter)?;
            let length = parameter.numel() as i64;
            let part = vector.f_narrow(0, offset, length)?.f_view_as(&parameter)?;
            let _ = parameter.f_add_(&part)?;
            offset += length;
        }
        Ok(())
    }

    /// Returns copies of the parameters' values.
    pub(super) fn values(self) -> Result<Vec<Tensor>, TchError> {
        self.0.iter().map(|(_, parameter)| parameter.f_detach_copy()).collect()
    }

    /// Resets the parameters to earlier values.
    pub(super) fn set(self, values: &[Tensor]) -> Result<(), TchError> {
        for ((_, parameter), value) in self.0.iter().zip(values) {
            parameter.shallow_clone().f_copy_(value)?;
        }
        Ok(())
    }
}

fn real(tensor: &Tensor) -> Result<Tensor, TchError> {
    if tensor.is_complex() { tensor.f_resolve_conj()?.f_view_as_real() } else { Ok(tensor.shallow_clone()) }
}

/// Reads tensors of one element each, in a single copy to the host.
pub(super) fn numbers<const N: usize>(tensors: [Tensor; N]) -> Result<[f64; N], TchError> {
    let parts = tensors.iter().map(|tensor| tensor.f_reshape([1])).collect::<Result<Vec<_>, _>>()?;
    let read = Tensor::f_cat(&parts, 0)?.f_to_device(tch::Device::Cpu)?.f_to_kind(tch::Kind::Double)?;
    let mut numbers = [0.0; N];
    read.f_copy_data(&mut numbers, N)?;
    Ok(numbers)
}
