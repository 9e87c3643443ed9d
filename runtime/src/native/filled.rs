use std::mem::MaybeUninit;
use tch::kind::Element;
use tch::{Device, TchError, Tensor};

/// The memory of a new tensor, which is written from its first element to its last.
pub struct Filling<'a, T> {
    left: &'a mut [MaybeUninit<T>],
}

impl<T: Element> Filling<'_, T> {
    /// Writes the next elements.
    ///
    /// # Panics
    /// If there are more than the tensor has left.
    pub(crate) fn write(&mut self, elements: &[T]) {
        let (now, left) = std::mem::take(&mut self.left).split_at_mut(elements.len());
        for (place, element) in now.iter_mut().zip(elements) {
            place.write(element.clone());
        }
        self.left = left;
    }

    /// Writes the next `count` elements.
    ///
    /// # Panics
    /// If the tensor has fewer left, or `elements` fewer than `count`.
    pub(crate) fn write_each(&mut self, count: usize, mut elements: impl Iterator<Item = T>) {
        let (now, left) = std::mem::take(&mut self.left).split_at_mut(count);
        for place in now {
            place.write(elements.next().expect("there are `count` elements"));
        }
        self.left = left;
    }
}

/// Returns a tensor on the CPU whose elements `fill` writes, all of them, in place: a batch in one copy.
///
/// # Errors
/// Those of `fill`, and of libtorch, for instance if the memory does not suffice.
pub(crate) fn filled<T: Element>(
    shape: &[i64],
    fill: impl FnOnce(&mut Filling<'_, T>) -> Result<(), TchError>,
) -> Result<Tensor, TchError> {
    let tensor = Tensor::f_empty(shape, (T::KIND, Device::Cpu))?;
    let address = tensor.data_ptr().cast::<MaybeUninit<T>>();
    // a tensor without elements has no address
    let left = if address.is_null() {
        &mut []
    } else {
        // SAFETY: the tensor is new, so that nobody else has its memory, which lives for this call and is contiguous: it has `numel`
        // elements of the type of its dtype, which may have any value before they are written.
        unsafe { std::slice::from_raw_parts_mut(address, tensor.numel()) }
    };
    let mut filling = Filling { left };
    fill(&mut filling)?;
    assert!(filling.left.is_empty(), "all elements of a tensor are written");
    Ok(tensor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_written_in_their_order() {
        let tensor = filled(&[2, 3], |to| {
            to.write(&[1_i64, 2]);
            to.write_each(3, 3..);
            to.write(&[6]);
            Ok(())
        });
        assert_eq!(tensor.unwrap(), Tensor::from_slice2(&[[1_i64, 2, 3], [4, 5, 6]]));
        assert_eq!(filled::<f32>(&[0, 3], |_| Ok(())).unwrap().size(), [0, 3]);
    }

    #[test]
    #[should_panic(expected = "all elements of a tensor are written")]
    fn elements_that_are_missing_are_refused() {
        let _ = filled(&[2], |to| {
            to.write(&[1.0_f32]);
            Ok(())
        });
    }
}
