//! Parquet: rows become columns, a row group at a time.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use chrono::DateTime;
use copydesk_store::ExportColumn;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::{Map, Value};

use crate::Sink;
use crate::target::Target;

/// A row group is written when its rows hold so many bytes of JSON: what the export takes of memory is a small multiple.
const GROUP_BYTES: usize = 32 << 20;

/// How a column of Postgres is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
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
    fn of(postgres: &str) -> Result<Self> {
        Ok(match postgres {
            "smallint" | "integer" => Self::Int32,
            "bigint" => Self::Int64,
            "real" => Self::Float,
            "double precision" => Self::Double,
            "boolean" => Self::Bool,
            "text" => Self::Text,
            "json" | "jsonb" => Self::Json,
            "timestamp with time zone" => Self::Instant,
            "text[]" => Self::TextList,
            other => bail!("a column of type {other} cannot be exported to Parquet; export JSON Lines"),
        })
    }

    fn declared(self, name: &str) -> String {
        match self {
            Self::Int32 => format!("optional int32 {name};"),
            Self::Int64 => format!("optional int64 {name};"),
            Self::Float => format!("optional float {name};"),
            Self::Double => format!("optional double {name};"),
            Self::Bool => format!("optional boolean {name};"),
            Self::Text => format!("optional binary {name} (STRING);"),
            Self::Json => format!("optional binary {name} (JSON);"),
            Self::Instant => format!("optional int64 {name} (TIMESTAMP(MICROS,true));"),
            Self::TextList => format!(
                "optional group {name} (LIST) {{ repeated group list {{ optional binary element (STRING); }} }}"
            ),
        }
    }
}

/// The values of one column in the row group that is being filled. Levels say where nulls and lists are.
#[derive(Debug)]
struct Column {
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
    fn new(column: &ExportColumn) -> Result<Self> {
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

    /// Writes the values as the next column of the row group, and forgets them.
    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, Target>) -> Result<()> {
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
        self.int32.clear();
        self.int64.clear();
        self.float.clear();
        self.double.clear();
        self.bool.clear();
        self.bytes.clear();
        self.definition.clear();
        self.repetition.clear();
        Ok(())
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
    bytes: usize,
    odd_rows: u64,
}

impl ParquetSink {
    pub(crate) fn new(target: Target, name: &str, columns: &[ExportColumn]) -> Result<Self> {
        let columns = columns.iter().map(Column::new).collect::<Result<Vec<_>>>()?;
        let fields: String = columns.iter().map(|c| c.kind.declared(&c.name)).collect();
        let schema = parse_message_type(&format!("message {name} {{ {fields} }}"))
            .context("the columns make no Parquet schema")?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_created_by(concat!("copydesk ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(target, Arc::new(schema), Arc::new(properties))
            .context("cannot start the Parquet file")?;
        Ok(Self {
            writer,
            columns,
            rows: 0,
            bytes: 0,
            odd_rows: 0,
        })
    }

    fn write_group(&mut self) -> Result<()> {
        if self.rows > 0 {
            let mut group = self.writer.next_row_group()?;
            for column in &mut self.columns {
                column.write(&mut group)?;
            }
            group.close()?;
            (self.rows, self.bytes) = (0, 0);
        }
        Ok(())
    }
}

impl Sink for ParquetSink {
    fn row(&mut self, json: &str) -> Result<()> {
        let mut row: Map<String, Value> = serde_json::from_str(json).context("a row is no JSON object")?;
        let mut fits = true;
        for column in &mut self.columns {
            fits &= column.push(row.remove(&column.name));
        }
        self.odd_rows += u64::from(!fits);
        self.rows += 1;
        self.bytes += json.len();
        if self.bytes >= GROUP_BYTES {
            self.write_group().context("cannot write the output")?;
        }
        Ok(())
    }

    fn odd_rows(&self) -> u64 {
        self.odd_rows
    }

    fn finish(mut self: Box<Self>) -> Result<Target> {
        self.write_group().context("cannot write the output")?;
        self.writer
            .into_inner()
            .context("cannot write the end of the output")
    }
}
