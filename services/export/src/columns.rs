//! Parquet: rows become columns, a row group at a time.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use chrono::DateTime;
use copydesk_store::ExportColumn;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type, SliceAsBytes,
};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::Xxh3;

use crate::Sink;
use crate::content::Content;
use crate::target::Target;

/// A row group is written when its rows hold so many bytes of JSON: what the export takes of memory is a small multiple.
const GROUP_BYTES: usize = 32 << 20;

/// How a column of Postgres is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int32,
    Int64,
    Float,
    Double,
    Bool,
    Text,
    Json,
    Instant,
    TextList,
}

impl Kind {
    pub(crate) fn of(postgres: &str) -> Result<Self> {
        Ok(match postgres {
            "smallint" | "integer" => Self::Int32,
            "bigint" => Self::Int64,
            "real" => Self::Float,
            "double precision" => Self::Double,
            "boolean" => Self::Bool,
            // Bytes are \x and their hexadecimal digits, as Postgres writes them in JSON.
            "text" | "bytea" => Self::Text,
            "json" | "jsonb" => Self::Json,
            "timestamp with time zone" => Self::Instant,
            "text[]" => Self::TextList,
            other => bail!("a column of type {other} cannot be exported to Parquet; export JSON Lines"),
        })
    }

    /// The field of the schema. Its id is its column's place in the view, which stays: new columns come at the end.
    fn declared(self, name: &str, id: usize) -> String {
        match self {
            Self::Int32 => format!("optional int32 {name} = {id};"),
            Self::Int64 => format!("optional int64 {name} = {id};"),
            Self::Float => format!("optional float {name} = {id};"),
            Self::Double => format!("optional double {name} = {id};"),
            Self::Bool => format!("optional boolean {name} = {id};"),
            Self::Text => format!("optional binary {name} (STRING) = {id};"),
            Self::Json => format!("optional binary {name} (JSON) = {id};"),
            Self::Instant => format!("optional int64 {name} (TIMESTAMP(MICROS,true)) = {id};"),
            Self::TextList => format!(
                "optional group {name} (LIST) = {id} {{ repeated group list {{ optional binary element (STRING); }} }}"
            ),
        }
    }
}

/// The values of one column in the row group that is being filled. Levels say where nulls and lists are.
#[derive(Debug)]
pub(crate) struct Column {
    name: String,
    kind: Kind,
    int32: Vec<i32>,
    int64: Vec<i64>,
    float: Vec<f32>,
    double: Vec<f64>,
    bool: Vec<bool>,
    bytes: Vec<ByteArray>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

impl Column {
    pub(crate) fn new(column: &ExportColumn) -> Result<Self> {
        Ok(Self {
            name: column.name.clone(),
            kind: Kind::of(&column.kind)?,
            int32: Vec::new(),
            int64: Vec::new(),
            float: Vec::new(),
            double: Vec::new(),
            bool: Vec::new(),
            bytes: Vec::new(),
            definition: Vec::new(),
            repetition: Vec::new(),
        })
    }

    /// Takes its value out of the next row. Answers as [`Self::push`].
    pub(crate) fn take(&mut self, row: &mut Map<String, Value>) -> bool {
        let value = row.remove(&self.name);
        self.push(value)
    }

    /// Takes the next row's value. One that does not fit the column is written as null. Answers whether it fitted.
    fn push(&mut self, value: Option<Value>) -> bool {
        let value = value.unwrap_or(Value::Null);
        let fits = value.is_null() || self.push_value(&value).is_some();
        if value.is_null() || !fits {
            self.definition.push(0);
            if self.kind == Kind::TextList {
                self.repetition.push(0);
            }
        }
        fits
    }

    /// `None`, with nothing taken: it does not fit.
    fn push_value(&mut self, value: &Value) -> Option<()> {
        match self.kind {
            Kind::Int32 => self.int32.push(i32::try_from(value.as_i64()?).ok()?),
            Kind::Int64 => self.int64.push(value.as_i64()?),
            Kind::Float => self.float.push(value.as_f64()? as f32),
            Kind::Double => self.double.push(value.as_f64()?),
            Kind::Bool => self.bool.push(value.as_bool()?),
            Kind::Text => self.bytes.push(value.as_str()?.into()),
            Kind::Json => self.bytes.push(value.to_string().into_bytes().into()),
            // Years before 1 and infinity are times to Postgres and to no Parquet.
            Kind::Instant => self.int64.push(
                DateTime::parse_from_rfc3339(value.as_str()?)
                    .ok()?
                    .timestamp_micros(),
            ),
            Kind::TextList => {
                let list = value.as_array()?;
                if list.is_empty() {
                    self.definition.push(1);
                    self.repetition.push(0);
                }
                for (n, element) in list.iter().enumerate() {
                    self.repetition.push(i16::from(n > 0));
                    match element.as_str() {
                        Some(text) => {
                            self.bytes.push(text.into());
                            self.definition.push(3);
                        }
                        None => self.definition.push(2),
                    }
                }
                return Some(());
            }
        }
        self.definition.push(1);
        Some(())
    }

    /// Adds the values, and where nulls and lists are, to a hash.
    pub(crate) fn hash_into(&self, hash: &mut Xxh3) {
        hash.update(self.name.as_bytes());
        hash.update(SliceAsBytes::slice_as_bytes(&self.definition));
        hash.update(SliceAsBytes::slice_as_bytes(&self.repetition));
        hash.update(SliceAsBytes::slice_as_bytes(&self.int32));
        hash.update(SliceAsBytes::slice_as_bytes(&self.int64));
        hash.update(SliceAsBytes::slice_as_bytes(&self.float));
        hash.update(SliceAsBytes::slice_as_bytes(&self.double));
        hash.update(&self.bool.iter().map(|b| u8::from(*b)).collect::<Vec<_>>());
        for text in &self.bytes {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.data());
        }
    }

    /// Writes the values as the next column of the row group.
    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Target>) -> Result<()> {
        match self.kind {
            Kind::Int32 => write::<Int32Type>(group, &self.int32, &self.definition, None)?,
            Kind::Int64 | Kind::Instant => write::<Int64Type>(group, &self.int64, &self.definition, None)?,
            Kind::Float => write::<FloatType>(group, &self.float, &self.definition, None)?,
            Kind::Double => write::<DoubleType>(group, &self.double, &self.definition, None)?,
            Kind::Bool => write::<BoolType>(group, &self.bool, &self.definition, None)?,
            Kind::Text | Kind::Json => write::<ByteArrayType>(group, &self.bytes, &self.definition, None)?,
            Kind::TextList => {
                write::<ByteArrayType>(group, &self.bytes, &self.definition, Some(&self.repetition))?;
            }
        }
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.int32.clear();
        self.int64.clear();
        self.float.clear();
        self.double.clear();
        self.bool.clear();
        self.bytes.clear();
        self.definition.clear();
        self.repetition.clear();
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Target>,
    values: &[T::T],
    definition: &[i16],
    repetition: Option<&[i16]>,
) -> Result<()> {
    let mut column = group
        .next_column()?
        .context("the schema has fewer columns than the rows")?;
    column
        .typed::<T>()
        .write_batch(values, Some(definition), repetition)?;
    column.close()?;
    Ok(())
}

/// The file as it is being written.
pub(crate) struct ParquetSink {
    writer: SerializedFileWriter<Target>,
    columns: Vec<Column>,
    rows: u64,
    all_rows: u64,
    bytes: usize,
    odd_rows: u64,
    hash: Xxh3,
}

impl ParquetSink {
    /// Begins a file. `sorted_by`: columns by which the rows come sorted.
    pub(crate) fn new(
        target: Target,
        name: &str,
        columns: &[ExportColumn],
        sorted_by: &[&str],
    ) -> Result<Self> {
        let meanings: Map<String, Value> = columns
            .iter()
            .map(|c| (c.name.clone(), c.meaning.clone().into()))
            .collect();
        let sorted: Vec<SortingColumn> = sorted_by
            .iter()
            .filter_map(|name| columns.iter().position(|c| c.name == *name))
            .filter_map(|place| i32::try_from(place).ok())
            .map(|column_idx| SortingColumn {
                column_idx,
                descending: false,
                nulls_first: false,
            })
            .collect();
        let columns = columns.iter().map(Column::new).collect::<Result<Vec<_>>>()?;
        let fields: String = columns
            .iter()
            .enumerate()
            .map(|(n, c)| c.kind.declared(&c.name, n + 1))
            .collect();
        let schema = parse_message_type(&format!("message {name} {{ {fields} }}"))
            .context("the columns make no Parquet schema")?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_created_by(concat!("copydesk ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_sorting_columns((!sorted.is_empty()).then_some(sorted))
            .set_key_value_metadata(Some(vec![KeyValue::new(
                "copydesk.columns".to_owned(),
                Value::Object(meanings).to_string(),
            )]))
            .build();
        let writer = SerializedFileWriter::new(target, Arc::new(schema), Arc::new(properties))
            .context("cannot start the Parquet file")?;
        Ok(Self {
            writer,
            columns,
            rows: 0,
            all_rows: 0,
            bytes: 0,
            odd_rows: 0,
            hash: Xxh3::new(),
        })
    }

    /// Takes the next row.
    pub(crate) fn push(&mut self, mut row: Map<String, Value>, bytes: usize) -> Result<()> {
        let mut fits = true;
        for column in &mut self.columns {
            fits &= column.take(&mut row);
        }
        self.odd_rows += u64::from(!fits);
        self.rows += 1;
        self.bytes += bytes;
        if self.bytes >= GROUP_BYTES {
            self.write_group().context("cannot write the output")?;
        }
        Ok(())
    }

    /// Bytes that are in the file by now.
    pub(crate) fn written(&self) -> u64 {
        self.writer.bytes_written() as u64
    }

    /// Rows with a value that was written as null because Parquet cannot hold it.
    pub(crate) fn odd(&self) -> u64 {
        self.odd_rows
    }

    fn write_group(&mut self) -> Result<()> {
        if self.rows > 0 {
            let mut group = self.writer.next_row_group()?;
            for column in &mut self.columns {
                column.hash_into(&mut self.hash);
                column.write(&mut group)?;
                column.clear();
            }
            group.close()?;
            self.all_rows += self.rows;
            (self.rows, self.bytes) = (0, 0);
        }
        Ok(())
    }

    /// Writes what is left and the end of the file. Answers with what `content` must find in it.
    pub(crate) fn end(mut self) -> Result<(Target, Content)> {
        self.write_group().context("cannot write the output")?;
        let content = Content {
            rows: self.all_rows,
            hash: self.hash.digest128(),
        };
        let target = self
            .writer
            .into_inner()
            .context("cannot write the end of the output")?;
        Ok((target, content))
    }
}

impl Sink for ParquetSink {
    fn row(&mut self, json: &str) -> Result<()> {
        let row: Map<String, Value> = serde_json::from_str(json).context("a row is no JSON object")?;
        self.push(row, json.len())
    }

    fn odd_rows(&self) -> u64 {
        self.odd_rows
    }

    fn finish(self: Box<Self>) -> Result<Target> {
        Ok(self.end()?.0)
    }
}
