//! Tests of folders of images, against torchvision. `images.py` has made the images.

use std::fs;
use std::path::{Path, PathBuf};

use tch_lightning::data::{ImageFolder, ImageTransforms};
use tch_lightning::prelude::*;

fn image(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images").join(name)
}

/// A folder with these images, each in a class.
fn folder(images: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (class, name) in images {
        fs::create_dir_all(root.path().join(class)).unwrap();
        fs::copy(image(name), root.path().join(class).join(name)).unwrap();
    }
    root
}

fn read(name: &str, transforms: ImageTransforms) -> Tensor {
    let root = folder(&[("class", name)]);
    ImageFolder::new(&root).unwrap().transforms(transforms).get_item(0).unwrap().0
}

/// The largest and the mean difference from an image, in levels of 256.
fn differences(pixels: &Tensor, expected: &str) -> (f64, f64) {
    let expected = read(expected, ImageTransforms::new());
    assert_eq!(pixels.size(), expected.size());
    let differences = (pixels - expected).abs() * 255.0;
    (differences.max().double_value(&[]), differences.mean(Kind::Float).double_value(&[]))
}

#[test]
fn sizes_are_changed_as_in_torchvision() {
    for (transforms, expected) in [
        (ImageTransforms::new().resize_to(25, 31), "resized.png"),
        (ImageTransforms::new().resize(24).center_crop(19), "cropped.png"),
    ] {
        // both round to levels, also between the two directions
        let (largest, mean) = differences(&read("source.png", transforms), expected);
        assert!(largest < 1.01 && mean < 0.25, "{expected}: {largest} {mean}");
    }
}

/// Decoders of JPEG round differently, most where colours change abruptly, which the format has in half the resolution.
#[test]
fn jpeg_is_decoded_as_in_pillow() {
    let (largest, mean) = differences(&read("source.jpg", ImageTransforms::new()), "decoded.png");
    assert!(largest < 12.0 && mean < 0.5, "{largest} {mean}");
}

#[test]
fn levels_are_normalized_by_channel() {
    let plain = read("source.png", ImageTransforms::new());
    let normalized = read("source.png", ImageTransforms::new().normalize([0.5, 0.25, 0.0], [0.5, 2.0, 1.0]));
    let of = |numbers: [f32; 3]| Tensor::from_slice(&numbers).view([3, 1, 1]);
    let expected = (plain - of([0.5, 0.25, 0.0])) / of([0.5, 2.0, 1.0]);
    assert!((normalized - expected).abs().max().double_value(&[]) < 1e-6);
}

#[test]
fn random_changes_do_not_depend_on_the_number_of_workers() {
    let root = folder(&[("a", "source.png"), ("b", "source.png"), ("b", "source.jpg"), ("c", "source.png")]);
    let transforms = ImageTransforms::new().random_resized_crop(16).random_horizontal_flip();
    let images = ImageFolder::new(&root).unwrap().transforms(transforms);
    let read = |workers, epoch| {
        let loader = DataLoader::with_workers(images.clone(), workers).batch_size(2).shuffle(true).seed(4);
        loader.epoch(epoch).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let batches = read(0, 1);
    assert_eq!(batches, read(2, 1));
    assert_ne!(batches, read(0, 2));
    assert_eq!(batches[0].0.size(), [2, 3, 16, 16]);
    let alone = DataLoader::new(images.clone()).batch_size(4).epoch(0).unwrap().next().unwrap().unwrap();
    assert_eq!(alone.1, Tensor::from_slice(&[0_i64, 1, 1, 2]));
    // the same picture, changed differently
    assert_ne!(alone.0.get(0), alone.0.get(3));
}

#[test]
fn folders_and_files_that_are_not_images_are_named() {
    let said = |root: &Path| match ImageFolder::new(root) {
        Ok(images) => format!("{:#}", images.get_item(0).unwrap_err()),
        Err(error) => error.to_string(),
    };
    let root = tempfile::tempdir().unwrap();
    let path = root.path().display().to_string();
    let without_path = |said: String| said.replace(&path, "");
    assert_eq!(
        without_path(said(root.path())),
        " has no folders: an ImageFolder has a folder of images for each class"
    );
    fs::create_dir(root.path().join("cats")).unwrap();
    fs::write(root.path().join("cats/notes.txt"), "no image").unwrap();
    assert_eq!(
        without_path(said(root.path())),
        "/cats has no .png, .jpg or .jpeg files: add images of this class, or remove its folder"
    );
    fs::write(root.path().join("cats/1.PNG"), "no image").unwrap();
    assert!(without_path(said(root.path())).starts_with("cannot decode the image /cats/1.PNG: "));

    let small = folder(&[("class", "source.png")]);
    let images = ImageFolder::new(&small).unwrap().transforms(ImageTransforms::new().center_crop(50));
    let said = format!("{:#}", images.get_item(0).unwrap_err());
    assert!(
        said.ends_with("cannot crop the image of 60 x 43 pixels: it is smaller than 50 x 50 pixels; resize it first"),
        "{said}"
    );
}

/// As in Pillow, whose "image file is truncated" a decoder that fills the missing rows with grey would hide.
#[test]
fn jpeg_files_that_are_cut_off_are_refused_wherever_they_end() {
    let whole = fs::read(image("source.jpg")).unwrap();
    let root = folder(&[("class", "source.jpg")]);
    let file = root.path().join("class/source.jpg");
    let images = ImageFolder::new(&root).unwrap();
    for length in 2..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let said = images.get_item(0).unwrap_err().to_string();
        let expected = format!("the image {} is cut off: copy or download it again, or remove it", file.display());
        assert_eq!(said, expected, "{length} of {} bytes", whole.len());
    }
    // bytes after the end do no harm
    fs::write(&file, [whole.as_slice(), &[0; 3]].concat()).unwrap();
    assert_eq!(images.get_item(0).unwrap().0.size(), [3, 43, 60]);
}

#[test]
fn transforms_to_sizes_that_are_none_are_refused() {
    let root = folder(&[("class", "source.png")]);
    let said = |transforms: ImageTransforms| {
        let images = ImageFolder::new(&root).unwrap().transforms(transforms);
        let said = format!("{:#}", images.get_item(0).unwrap_err());
        said.split_once("class/source.png: ").unwrap().1.to_owned()
    };
    let of = |what: &str| format!("cannot {what}");
    let resize =
        |size: &str| of(&format!("resize the image of 60 x 43 pixels: {size} pixels are not the size of an image"));
    assert_eq!(said(ImageTransforms::new().resize(0)), resize("0 x 0"));
    assert_eq!(said(ImageTransforms::new().resize_to(3, 4_000_000_000)), resize("4000000000 x 3"));
    assert_eq!(said(ImageTransforms::new().resize(4_000_000_000)), resize("4294967295 x 4000000000"));
    assert_eq!(
        said(ImageTransforms::new().center_crop(0)),
        of("crop the image of 60 x 43 pixels: 0 pixels would be left")
    );
    assert_eq!(
        said(ImageTransforms::new().normalize([0.0; 3], [1.0, 0.0, 1.0])),
        of("normalize the image of 60 x 43 pixels: a standard deviation is 0")
    );
}

#[cfg(unix)]
#[test]
fn links_to_a_folder_around_them_are_refused() {
    let root = folder(&[("cats", "source.png")]);
    std::os::unix::fs::symlink("..", root.path().join("cats/loop")).unwrap();
    let said = ImageFolder::new(&root).unwrap_err().to_string();
    let link = root.path().join("cats/loop/cats");
    assert_eq!(said, format!("{} leads back to a folder that it is in: remove this link", link.display()));
}
