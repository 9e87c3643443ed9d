//! Numbers by which replicas are compared.

use super::NamedTensor;
use tch::{Kind, TchError, Tensor, no_grad};

/// The bytes of a word.
const WORD: i64 = 8;

/// Returns a number for the bits of each parameter, on its device: `[parameters]`, int64. It is the sum of the parameter's words, which wraps,
/// so that one element that differs always shows.
pub(super) fn fingerprints(parameters: &[NamedTensor]) -> Result<Tensor, TchError> {
    let sums = parameters.iter().map(|(_, parameter)| no_grad(|| sum_of_words(parameter)));
    Tensor::f_stack(&sums.collect::<Result<Vec<_>, _>>()?, 0)
}

fn sum_of_words(parameter: &Tensor) -> Result<Tensor, TchError> {
    let elements = parameter.f_detach()?.f_contiguous()?.f_view([-1])?;
    let count = elements.size()[0];
    let size = i64::try_from(elements.f_kind()?.elt_size_in_bytes()).unwrap_or(WORD).min(WORD);
    // the last elements may not fill a word
    let rest = count % (WORD / size);
    let words = elements.f_narrow(0, 0, count - rest)?;
    let words = match words.f_view_dtype(Kind::Int64) {
        Ok(words) => words,
        // a part of a larger tensor may begin within a word
        Err(_) => Tensor::f_cat(&[&words], 0)?.f_view_dtype(Kind::Int64)?,
    };
    let sum = words.f_sum(Kind::Int64)?;
    if rest == 0 {
        return Ok(sum);
    }
    let part = match size {
        1 => Kind::Int8,
        2 => Kind::Int16,
        _ => Kind::Int,
    };
    let rest = elements.f_narrow(0, count - rest, rest)?.f_view_dtype(part)?;
    sum.f_add(&rest.f_sum(Kind::Int64)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    fn fingerprint(tensor: &Tensor) -> i64 {
        Vec::<i64>::try_from(fingerprints(&[(String::new(), tensor.shallow_clone())]).unwrap()).unwrap()[0]
    }

    #[test]
    fn fingerprint_is_the_sum_of_the_bits_as_integers() {
        // 1.0 is 0x3f800000, and 2.0 is 0x40000000
        let words = Tensor::from_slice(&[1.0_f32, 2.0, 1.0]);
        assert_eq!(fingerprint(&words), 0x4000_0000_3f80_0000 + 0x3f80_0000);
        assert_eq!(fingerprint(&Tensor::from(1.0_f64)), 0x3ff0_0000_0000_0000);
        assert_eq!(fingerprint(&Tensor::from_slice(&[0.0_f32; 0])), 0);
    }

    #[test]
    fn one_bit_of_any_element_of_any_dtype_shows() {
        for kind in [Kind::Float, Kind::Double, Kind::Half, Kind::BFloat16, Kind::ComplexFloat, Kind::ComplexDouble] {
            let one = Tensor::ones([3, 5], (kind, Device::Cpu));
            for index in 0..15 {
                let other = one.copy();
                let _ = other.view([15]).get(index).fill_(1.0 + 2f64.powi(-7));
                assert_ne!(fingerprint(&one), fingerprint(&other), "{kind:?} {index}");
                // of another layout, and within another tensor
                assert_eq!(fingerprint(&one), fingerprint(&one.tr().contiguous().tr()), "{kind:?}");
            }
            let whole = Tensor::ones([7], (kind, Device::Cpu));
            assert_eq!(fingerprint(&whole.narrow(0, 1, 5)), fingerprint(&Tensor::ones([5], (kind, Device::Cpu))));
        }
    }
}
