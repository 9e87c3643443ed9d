//! Tests of Parquet files, which pyarrow and polars wrote: `parquet.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use tch_lightning::data::{IterableDataset as _, ParquetFile};
use tch_lightning::prelude::*;

/// Snappy in three row groups, Zstandard, and no compression, with the second version of pages.
const FILES: [&str; 3] = ["pyarrow.parquet", "polars.parquet", "version2.parquet"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/parquet")).join(name)
}

fn open(name: &str) -> ParquetFile {
    ParquetFile::open(path(name)).unwrap()
}

/// The message of an error, with the name of the file instead of its path.
fn said<T>(outcome: Result<T, tch_lightning::data::ParquetError>) -> String {
    let said = outcome.err().expect("an error").to_string();
    said.replace(&format!("{}/", path("").display()).replace("//", "/"), "")
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum District {
    North,
    #[serde(rename = "söuth")]
    South,
    West,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct House {
    area: f32,
    rooms: i8,
    price: f64,
    garden: bool,
    district: District,
    year: u16,
    age: Option<f64>,
    note: Option<String>,
    /// It is not in the files.
    owner: Option<String>,
}

fn house(n: usize) -> House {
    House {
        area: 40.0 + 1.5 * n as f32,
        rooms: (n % 7) as i8 - 1,
        price: 1e5 + n as f64 / 3.0,
        garden: n.is_multiple_of(3),
        district: [District::North, District::South, District::West][n % 3],
        year: 65535 - n as u16,
        age: (n % 10 != 7).then_some(n as f64 / 2.0),
        note: n.is_multiple_of(2).then(|| format!("note {n}")),
        owner: None,
    }
}

#[test]
fn rows_are_those_that_were_written() {
    for name in FILES {
        let rows: Vec<House> = open(name).rows().unwrap();
        assert_eq!(rows.len(), 100);
        for (n, row) in rows.into_iter().enumerate() {
            assert_eq!(row, house(n), "{name}");
        }
    }
    assert_eq!(open("empty.parquet").rows::<House>().unwrap(), []);
}

#[test]
fn columns_are_those_that_were_written() {
    for name in FILES {
        let file = open(name);
        let names = ["area", "rooms", "price", "garden", "district", "year", "age", "note", "big", "tags", "sold"];
        assert_eq!(
            (file.len(), file.is_empty(), file.column_names()),
            (100, false, names.map(String::from).as_slice())
        );
        let expected = |number: &dyn Fn(House) -> f64| (0..100).map(|n| number(house(n))).collect::<Vec<f64>>();
        let column = |name, kind| Vec::<f64>::try_from(file.column(name, kind).unwrap().to_kind(Kind::Double)).unwrap();
        assert_eq!(column("area", Kind::Float), expected(&|house| f64::from(house.area)));
        assert_eq!(column("price", Kind::Double), expected(&|house| house.price));
        assert_eq!(column("rooms", Kind::Int8), expected(&|house| f64::from(house.rooms)));
        assert_eq!(column("year", Kind::Int), expected(&|house| f64::from(house.year)));
        assert_eq!(column("garden", Kind::Bool), expected(&|house| f64::from(u8::from(house.garden))));

        let both = file.columns(["rooms", "garden"], Kind::Float).unwrap();
        assert_eq!((both.size(), both.kind()), (vec![100, 2], Kind::Float));
        assert_eq!(both.select(1, 0), file.column("rooms", Kind::Float).unwrap());
        assert_eq!(both.select(1, 1), file.column("garden", Kind::Float).unwrap());
    }
    let empty = open("empty.parquet");
    assert_eq!((empty.is_empty(), empty.columns(["area", "rooms"], Kind::Float).unwrap().size()), (true, vec![0, 2]));
}

/// Three row groups of 40, 40 and 20 rows.
#[test]
fn workers_share_the_row_groups_of_a_stream() {
    #[derive(Deserialize)]
    struct Area {
        area: f32,
    }

    let areas = || {
        open("pyarrow.parquet").stream::<Area>().collate_with(|rows| {
            let areas: Vec<f32> = rows.iter().map(|row| row.area).collect();
            Ok(Tensor::from_slice(&areas))
        })
    };
    for workers in [0, 1, 2, 5] {
        let loader = match workers {
            0 => DataLoader::iterable(areas()),
            workers => DataLoader::iterable_with_workers(areas(), workers),
        }
        .batch_size(20);
        let batches = loader.epoch(0).unwrap();
        let mut rows: Vec<f32> = batches.flat_map(|batch| Vec::<f32>::try_from(batch.unwrap()).unwrap()).collect();
        if workers > 1 {
            rows.sort_by(f32::total_cmp);
        }
        assert_eq!(rows, (0..100).map(|n| house(n).area).collect::<Vec<_>>(), "{workers} workers");
    }
}

#[test]
fn errors_name_the_column_and_the_row() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Misspelled {
        aera: f32,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Nulls {
        age: f64,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Types {
        district: f32,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Small {
        rooms: u8,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Lists {
        tags: String,
    }

    let file = open("pyarrow.parquet");
    let column = |name, kind| said(file.column(name, kind));
    let told = [
        column("aera", Kind::Float),
        said(file.rows::<Misspelled>()),
        column("xyz", Kind::Float),
        column("age", Kind::Float),
        said(file.rows::<Nulls>()),
        column("district", Kind::Float),
        column("price", Kind::Int64),
        column("rooms", Kind::Bool),
        column("tags", Kind::Float),
        column("sold", Kind::Float),
        said(file.rows::<Lists>()),
        said(file.rows::<Types>()),
        said(file.rows::<Small>()),
        column("rooms", Kind::Uint8),
        column("year", Kind::Int16),
        column("big", Kind::Int64),
        said(file.rows::<f32>()),
        said(open("gzip.parquet").column("area", Kind::Float)),
        said(ParquetFile::open(path("missing.parquet"))),
        said(ParquetFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))),
    ];
    println!("{}", told.join("\n"));
    assert_eq!(
        told[..16],
        [
            "pyarrow.parquet has no column `aera`: write `area`",
            "pyarrow.parquet has no column `aera`: write `area`",
            "pyarrow.parquet has no column `xyz`: its columns are area, rooms, price, garden, district, year, age, note, big, \
             tags, sold",
            "the column `age` of pyarrow.parquet is null in row 7: read it by `rows` into a field that is an Option, or \
             fill it before",
            "the column `age` of pyarrow.parquet is null in row 7: read it by `rows` into a field that is an Option, or \
             fill it before",
            "the column `district` of pyarrow.parquet holds text, which cannot be read as Float",
            "the column `price` of pyarrow.parquet holds floating-point numbers, which cannot be read as Int64",
            "the column `rooms` of pyarrow.parquet holds integers, which cannot be read as Bool",
            "the column `tags` of pyarrow.parquet holds lists or structs, which cannot be read as Float",
            "the column `sold` of pyarrow.parquet holds dates or times, which cannot be read as Float",
            "the column `tags` of pyarrow.parquet holds lists or structs, which cannot be read as a field",
            "row 0 of pyarrow.parquet cannot be read: invalid type: string \"north\", expected f32 for the column `district`",
            "row 0 of pyarrow.parquet cannot be read: invalid value: integer `-1`, expected u8 for the column `rooms`",
            "row 0 of pyarrow.parquet cannot be read: the value of the column `rooms` does not fit Uint8",
            "row 0 of pyarrow.parquet cannot be read: the value of the column `year` does not fit Int16",
            "row 0 of pyarrow.parquet cannot be read: the value of the column `big` does not fit Int64",
        ]
    );
    assert_eq!(told[16], "row 0 of pyarrow.parquet cannot be read: invalid type: map, expected f32");
    assert_eq!(
        told[17],
        "cannot read gzip.parquet as a Parquet file: it is compressed by GZIP; write it with Snappy, Zstandard or no \
         compression"
    );
    assert!(told[18].starts_with("cannot read missing.parquet: No such file"), "{}", told[18]);
    assert!(told[19].contains("Cargo.toml as a Parquet file: Parquet error: Invalid Parquet file"), "{}", told[19]);
}

/// A map has all columns that can be read.
#[test]
fn rows_may_be_maps() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.parquet");
    fs::copy(path("version2.parquet"), &copy).unwrap();
    #[derive(Deserialize)]
    struct Rest {
        area: f32,
        #[serde(flatten)]
        rest: BTreeMap<String, serde::de::IgnoredAny>,
    }
    let rows: Vec<Rest> = ParquetFile::open(&copy).unwrap().rows().unwrap();
    assert_eq!(rows[3].area, 44.5);
    let names: Vec<&str> = rows[0].rest.keys().map(String::as_str).collect();
    assert_eq!(names, ["age", "big", "district", "garden", "note", "price", "rooms", "year"]);
}

/// Whatever is damaged, reading ends with rows or an error. Neither the pages nor the values have checksums.
#[test]
fn damaged_files_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("damaged.parquet");
    for name in FILES {
        let bytes = fs::read(path(name)).unwrap();
        let mut refused = 0;
        for position in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1 << (position % 8);
            fs::write(&copy, &damaged).unwrap();
            refused += u32::from(ParquetFile::open(&copy).and_then(|file| file.rows::<House>()).is_err());
            fs::write(&copy, &bytes[..position]).unwrap();
            assert!(ParquetFile::open(&copy).is_err(), "{name} was cut at {position}");
        }
        assert!(refused > 10, "{refused}");
    }
}
