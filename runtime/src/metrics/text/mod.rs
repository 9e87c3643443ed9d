//! Metrics of texts.

mod char_error_rate;
mod error_rate;
mod perplexity;
mod word_error_rate;

pub use char_error_rate::CharErrorRate;
pub use perplexity::Perplexity;
pub use word_error_rate::WordErrorRate;
