//! Metrics of texts.

mod bleu_score;
mod char_error_rate;
mod error_rate;
mod n_grams;
mod perplexity;
mod rouge_score;
mod word_error_rate;

pub use bleu_score::BleuScore;
pub use char_error_rate::CharErrorRate;
pub use perplexity::Perplexity;
pub use rouge_score::{RougeAccumulate, RougeScore, RougeStatistic};
pub use word_error_rate::WordErrorRate;
