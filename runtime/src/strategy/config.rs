//! The choice of a strategy in the trainer's configuration.

use crate::span::Span;
use crate::yaml;
use clap::ValueEnum;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How a run uses several processes. Lightning's
/// [`strategy`](https://lightning.ai/docs/pytorch/stable/extensions/strategy.html).
///
/// In a configuration file, and as the flag `--strategy`, it is a name, or a table with options:
///
/// ```
/// use tch_lightning::TrainerConfig;
/// use tch_lightning::strategy::{DdpConfig, StrategyConfig};
///
/// let ddp = DdpConfig::default();
/// assert_eq!("ddp".parse(), Ok(StrategyConfig::Ddp(ddp.clone())));
/// let config = TrainerConfig::from_yaml("strategy: {name: ddp, find_unused_parameters: true}")?;
/// assert_eq!(config.strategy, StrategyConfig::Ddp(ddp.find_unused_parameters(true)));
/// # Ok::<(), tch_lightning::errors::ConfigurationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum StrategyConfig {
    /// `auto`: one process, or `ddp` if a launcher has started several or `devices` asks for several.
    #[default]
    Auto,
    /// `ddp`: each process trains a replica of the module on its part of the data, and the gradients are averaged.
    Ddp(DdpConfig),
}

/// The options of the strategy `ddp`: the arguments of PyTorch's
/// [`DistributedDataParallel`](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html) and of
/// Lightning's [`DDPStrategy`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.strategies.DDPStrategy.html).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DdpConfig {
    /// Whether a training step may leave parameters without a gradient: they are found before each backward pass. Default false.
    pub find_unused_parameters: bool,
    /// Whether each training step uses the same parameters, so that unused ones are only found in the first. Default false.
    pub static_graph: bool,
    /// Whether gradients are views of the buckets in which they are sent, which saves memory and copies. Default false.
    pub gradient_as_bucket_view: bool,
    /// The size of a bucket of gradients in MiB. Default 25.
    pub bucket_cap_mb: usize,
    /// The dtype in which gradients are sent. Default their own.
    pub gradient_compression: Option<GradientCompression>,
    /// Whether rank 0's buffers, such as the running statistics of a BatchNorm, are sent to all ranks before each training step. Default
    /// true.
    pub broadcast_buffers: bool,
    /// Whether it is an error if the parameters differ between the processes, by any bit: they are compared at the end of each training epoch
    /// and before each checkpoint. Machines with different processors may round differently. Default true.
    pub compare_parameters: bool,
    /// The longest time that a process waits for the others, from 1 second to 1 year. Default 5 minutes.
    pub timeout: Span,
}

/// The dtype in which gradients are sent, in place of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum GradientCompression {
    /// bfloat16.
    Bf16,
    /// float16, whose range is smaller.
    Fp16,
}

impl Default for DdpConfig {
    fn default() -> Self {
        Self {
            find_unused_parameters: false,
            static_graph: false,
            gradient_as_bucket_view: false,
            bucket_cap_mb: 25,
            gradient_compression: None,
            broadcast_buffers: true,
            compare_parameters: true,
            timeout: Span(Duration::from_secs(300)),
        }
    }
}

/// The shortest and the longest `timeout`. The operating system's clock has an end.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(31_557_600);

impl DdpConfig {
    /// Sets [`find_unused_parameters`](field@Self::find_unused_parameters).
    pub fn find_unused_parameters(self, find_unused_parameters: bool) -> Self {
        Self { find_unused_parameters, ..self }
    }

    /// Sets [`static_graph`](field@Self::static_graph).
    pub fn static_graph(self, static_graph: bool) -> Self {
        Self { static_graph, ..self }
    }

    /// Sets [`gradient_as_bucket_view`](field@Self::gradient_as_bucket_view).
    pub fn gradient_as_bucket_view(self, gradient_as_bucket_view: bool) -> Self {
        Self { gradient_as_bucket_view, ..self }
    }

    /// Sets [`bucket_cap_mb`](field@Self::bucket_cap_mb).
    pub fn bucket_cap_mb(self, bucket_cap_mb: usize) -> Self {
        Self { bucket_cap_mb, ..self }
    }

    /// Sets [`gradient_compression`](field@Self::gradient_compression).
    pub fn gradient_compression(self, gradient_compression: GradientCompression) -> Self {
        Self { gradient_compression: Some(gradient_compression), ..self }
    }

    /// Sets [`broadcast_buffers`](field@Self::broadcast_buffers).
    pub fn broadcast_buffers(self, broadcast_buffers: bool) -> Self {
        Self { broadcast_buffers, ..self }
    }

    /// Sets [`compare_parameters`](field@Self::compare_parameters).
    pub fn compare_parameters(self, compare_parameters: bool) -> Self {
        Self { compare_parameters, ..self }
    }

    /// Sets [`timeout`](field@Self::timeout).
    pub fn timeout(self, timeout: impl Into<Span>) -> Self {
        Self { timeout: timeout.into(), ..self }
    }

    /// Returns the mistake, if a value cannot be used.
    fn mistake(&self) -> Option<String> {
        if self.bucket_cap_mb == 0 {
            return Some("`strategy`'s `bucket_cap_mb` must be at least 1, but it is 0".to_owned());
        }
        (!(SHORTEST..=LONGEST).contains(&self.timeout.0))
            .then(|| format!("`strategy`'s `timeout` must be from 1s to 1year, but it is {}", self.timeout))
    }
}

impl StrategyConfig {
    pub(crate) fn mistake(&self) -> Option<String> {
        match self {
            Self::Auto => None,
            Self::Ddp(ddp) => ddp.mistake(),
        }
    }

    /// The options of `ddp`, if several processes are used.
    pub(crate) fn ddp(&self) -> DdpConfig {
        match self {
            Self::Auto => DdpConfig::default(),
            Self::Ddp(ddp) => ddp.clone(),
        }
    }
}

impl From<DdpConfig> for StrategyConfig {
    fn from(ddp: DdpConfig) -> Self {
        Self::Ddp(ddp)
    }
}

/// The forms of the flag and of a configuration file.
const FORMS: &str = "write auto, ddp, ddp_find_unused_parameters_true, or a table such as {name: ddp, timeout: 1m}";

impl FromStr for StrategyConfig {
    type Err = String;

    /// A name, as Lightning has it, or the table of a configuration file on one line.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "ddp" | "ddp_find_unused_parameters_false" => Ok(Self::Ddp(DdpConfig::default())),
            "ddp_find_unused_parameters_true" => Ok(Self::Ddp(DdpConfig::default().find_unused_parameters(true))),
            table if table.starts_with('{') => {
                serde_json::from_value(yaml::parse_inline("strategy", table)?).map_err(|error| error.to_string())
            }
            _ => Err(format!("`{text}` is not a strategy: {FORMS}")),
        }
    }
}

impl fmt::Display for StrategyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Ddp(ddp) if *ddp == DdpConfig::default() => f.write_str("ddp"),
            Self::Ddp(_) => f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?),
        }
    }
}

/// The form of a strategy with options.
#[derive(Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
enum Table {
    Auto {},
    Ddp(DdpConfig),
}

impl Serialize for StrategyConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ddp(ddp) if *ddp != DdpConfig::default() => Table::Ddp(ddp.clone()).serialize(serializer),
            named => serializer.collect_str(named),
        }
    }
}

impl<'de> Deserialize<'de> for StrategyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = StrategyConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(FORMS)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<StrategyConfig, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StrategyConfig, A::Error> {
                Ok(match Table::deserialize(MapAccessDeserializer::new(map))? {
                    Table::Auto {} => StrategyConfig::Auto,
                    Table::Ddp(ddp) => StrategyConfig::Ddp(ddp),
                })
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategy_is_written_in_the_form_that_is_read() {
        let with_options = DdpConfig::default().find_unused_parameters(true).timeout(Duration::from_secs(60));
        for strategy in [StrategyConfig::Auto, DdpConfig::default().into(), with_options.into()] {
            assert_eq!(strategy.to_string().parse().as_ref(), Ok(&strategy));
            let json = serde_json::to_value(&strategy).unwrap();
            assert_eq!(serde_json::from_value::<StrategyConfig>(json).unwrap(), strategy);
        }
        assert_eq!(StrategyConfig::Ddp(DdpConfig::default()).to_string(), "ddp");
        let mistake =
            |timeout: &str| format!("{{name: ddp, timeout: {timeout}}}").parse::<StrategyConfig>().unwrap().mistake();
        assert_eq!(mistake("365days"), None);
        for (timeout, shown) in
            [("0s", "0s"), ("999ms", "999ms"), ("2years", "2years"), ("200000d", "547years 6months 25days 14h 38m 24s")]
        {
            let said = format!("`strategy`'s `timeout` must be from 1s to 1year, but it is {shown}");
            assert_eq!(mistake(timeout), Some(said));
        }
        let error = "fsdp".parse::<StrategyConfig>().unwrap_err();
        assert!(error.starts_with("`fsdp` is not a strategy: write auto, ddp"), "{error}");
    }
}
