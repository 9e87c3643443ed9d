//! GPT-2, with the names and the computation of Hugging Face's `GPT2LMHeadModel`.
//!
//! Radford et al., [*Language Models are Unsupervised Multitask
//! Learners*](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf).

use std::path::Path;
use tch::nn::Init;
use tch_lightning::checkpoint::weights::{self, Weights};
use tch_lightning::lora::{ADAPTERS, Lora, LoraLinear};
use tch_lightning::prelude::*;

/// The size of the network.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// The number of different tokens. `vocab_size` in Python.
    pub vocabulary: i64,
    /// The longest text in tokens. `n_positions` in Python.
    pub positions: i64,
    /// The size of a token's vector. `n_embd` in Python.
    pub width: i64,
    /// The number of blocks. `n_layer` in Python.
    pub layers: i64,
    /// The number of attention heads of a block. `n_head` in Python.
    pub heads: i64,
    /// The fraction of values that training drops. `embd_pdrop`, `attn_pdrop` and `resid_pdrop` in Python.
    pub dropout: f64,
}

/// The network, from tokens `[batch, length] i64` to logits of the next ones `[batch, length, vocabulary] f32`.
#[derive(Debug)]
pub struct Gpt2 {
    tokens: nn::Embedding,
    positions: nn::Embedding,
    blocks: Vec<Block>,
    norm: nn::LayerNorm,
    config: Config,
}

#[derive(Debug)]
struct Block {
    attention_norm: nn::LayerNorm,
    attention: Attention,
    mlp_norm: nn::LayerNorm,
    mlp: Mlp,
}

#[derive(Debug)]
struct Attention {
    query_key_value: LoraLinear,
    output: LoraLinear,
    heads: i64,
    dropout: f64,
}

#[derive(Debug)]
struct Mlp {
    input: LoraLinear,
    output: LoraLinear,
    dropout: f64,
}

/// The names in a file of Hugging Face: that of the published weights has those of the transformer alone, and `save_pretrained` writes
/// the prefix.
const NAMES: [(&str, &str); 3] =
    [("transformer.**", "transformer.**"), ("lm_head.**", "lm_head.**"), ("**", "transformer.**")];

/// Opens weights in the layout of Hugging Face. Its `Conv1D` has the weights of a linear layer transposed, and older files have the masks
/// of the attention and the output layer, whose weights are those of the embedding.
///
/// # Errors
/// If the file cannot be read.
pub fn pretrained(path: impl AsRef<Path>) -> Result<Weights> {
    let weights = weights::open(path)?.rename(NAMES).except("{lm_head.weight,**.attn.bias,**.attn.masked_bias}");
    Ok(weights.except(ADAPTERS).transpose("transformer.h.*.{attn,mlp}.c_*.weight"))
}

impl Gpt2 {
    /// Creates the network with random weights, with adapters in the layers that `lora` chooses.
    ///
    /// # Errors
    /// If a setting of `lora` is not valid.
    pub fn new(root: &nn::Path<'_>, config: Config, lora: Option<&Lora>) -> Result<Self> {
        let root = root / "transformer";
        let ws_init = NORMAL;
        let embedding = nn::EmbeddingConfig { ws_init, ..nn::EmbeddingConfig::default() };
        let tokens = nn::embedding(&root / "wte", config.vocabulary, config.width, embedding);
        let positions = nn::embedding(&root / "wpe", config.positions, config.width, embedding);
        let blocks = (0..config.layers).map(|layer| Block::new(&root / "h" / layer, config, lora));
        let blocks = blocks.collect::<Result<Vec<Block>>>()?;
        let norm = norm(&root / "ln_f", config.width);
        Ok(Self { tokens, positions, blocks, norm, config })
    }

    /// Returns the logits of the tokens that follow.
    pub fn forward(&self, tokens: &Tensor) -> Tensor {
        let positions = Tensor::arange(tokens.size()[1], (Kind::Int64, tokens.device()));
        let embedded = self.tokens.forward(tokens) + self.positions.forward(&positions);
        let mut hidden = embedded.dropout(self.config.dropout, is_training());
        for block in &self.blocks {
            hidden = block.forward(&hidden);
        }
        // the output layer has the weights of the embedding
        self.norm.forward(&hidden).linear::<&Tensor>(&self.tokens.ws, None)
    }

    /// Returns the mean loss of a token, `[] f32`: the logarithm of how many tokens it is chosen from. `following` has the token after each of
    /// `tokens`, both `[batch, length] i64`.
    pub fn loss(&self, tokens: &Tensor, following: &Tensor) -> Tensor {
        self.forward(tokens).flatten(0, 1).cross_entropy_for_logits(&following.flatten(0, 1))
    }

    /// Draws tokens that follow a text, one after the other. A temperature below 1 prefers the likelier ones.
    ///
    /// # Errors
    /// If the prompt is empty.
    pub fn generate(&self, prompt: &[i64], count: usize, temperature: f64) -> Result<Vec<i64>> {
        anyhow::ensure!(!prompt.is_empty(), "the prompt must have at least one token");
        let mut text = prompt.to_vec();
        for _ in 0..count {
            let start = text.len().saturating_sub(self.config.positions as usize);
            let tokens = Tensor::from_slice(&text[start..]).unsqueeze(0).to_device(self.tokens.ws.device());
            let logits = tch::no_grad(|| self.forward(&tokens)).select(0, 0).select(0, -1);
            let next = (logits / temperature).softmax(-1, Kind::Float).multinomial(1, true);
            text.push(next.int64_value(&[0]));
        }
        Ok(text.split_off(prompt.len()))
    }
}

const NORMAL: Init = Init::Randn { mean: 0.0, stdev: 0.02 };

impl Block {
    fn new(path: nn::Path<'_>, config: Config, lora: Option<&Lora>) -> Result<Self> {
        let Config { width, heads, dropout, layers, .. } = config;
        let linear = |path: nn::Path<'_>, inputs, outputs, ws_init| {
            let config = nn::LinearConfig { ws_init, bs_init: Some(Init::Const(0.0)), bias: true };
            LoraLinear::new(path, inputs, outputs, config, lora)
        };
        // what is added to the residual stream by twice as many layers as there are blocks
        let added = Init::Randn { mean: 0.0, stdev: 0.02 / (2.0 * layers as f64).sqrt() };
        let (attn, mlp) = (&path / "attn", &path / "mlp");
        Ok(Self {
            attention_norm: norm(&path / "ln_1", width),
            attention: Attention {
                query_key_value: linear(&attn / "c_attn", width, 3 * width, NORMAL)?,
                output: linear(&attn / "c_proj", width, width, added)?,
                heads,
                dropout,
            },
            mlp_norm: norm(&path / "ln_2", width),
            mlp: Mlp {
                input: linear(&mlp / "c_fc", width, 4 * width, NORMAL)?,
                output: linear(&mlp / "c_proj", 4 * width, width, added)?,
                dropout,
            },
        })
    }

    fn forward(&self, hidden: &Tensor) -> Tensor {
        let hidden = hidden + self.attention.forward(&self.attention_norm.forward(hidden));
        &hidden + self.mlp.forward(&self.mlp_norm.forward(&hidden))
    }
}

impl Attention {
    /// Attends to the tokens before each one, and to itself.
    fn forward(&self, hidden: &Tensor) -> Tensor {
        let [batch, length, width] = hidden.size()[..] else { unreachable!("hidden states have three dimensions") };
        let projected = self.query_key_value.forward(hidden);
        let by_head = |part: &Tensor| part.view([batch, length, self.heads, -1]).transpose(1, 2);
        let [query, key, value] =
            [0, 1, 2].map(|part| by_head(&projected.narrow(-1, part * width, width).contiguous()));
        let dropout = if is_training() { self.dropout } else { 0.0 };
        let none: Option<&Tensor> = None;
        let attended = Tensor::scaled_dot_product_attention(&query, &key, &value, none, dropout, true, None, false);
        let joined = attended.transpose(1, 2).contiguous().view([batch, length, width]);
        self.output.forward(&joined).dropout(self.dropout, is_training())
    }
}

impl Mlp {
    fn forward(&self, hidden: &Tensor) -> Tensor {
        self.output.forward(&self.input.forward(hidden).gelu("tanh")).dropout(self.dropout, is_training())
    }
}

fn norm(path: nn::Path<'_>, width: i64) -> nn::LayerNorm {
    nn::layer_norm(path, vec![width], nn::LayerNormConfig::default())
}
