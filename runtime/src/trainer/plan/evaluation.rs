//! The names of the hooks of each evaluation.

use crate::hook::Hook;

/// The hooks of an evaluation, whose kinds differ in a word of their names.
pub(super) struct EvaluationHooks {
    pub(super) model_eval: Hook,
    pub(super) start: Hook,
    pub(super) epoch_start: Hook,
    pub(super) batch_start: Hook,
    pub(super) step: Hook,
    pub(super) batch_end: Hook,
    pub(super) epoch_end: Hook,
    pub(super) end: Hook,
    /// Prediction does not have one.
    pub(super) model_train: Option<Hook>,
}

pub(super) const VALIDATION: EvaluationHooks = EvaluationHooks {
    model_eval: Hook::OnValidationModelEval,
    start: Hook::OnValidationStart,
    epoch_start: Hook::OnValidationEpochStart,
    batch_start: Hook::OnValidationBatchStart,
    step: Hook::ValidationStep,
    batch_end: Hook::OnValidationBatchEnd,
    epoch_end: Hook::OnValidationEpochEnd,
    end: Hook::OnValidationEnd,
    model_train: Some(Hook::OnValidationModelTrain),
};

pub(super) const TEST: EvaluationHooks = EvaluationHooks {
    model_eval: Hook::OnTestModelEval,
    start: Hook::OnTestStart,
    epoch_start: Hook::OnTestEpochStart,
    batch_start: Hook::OnTestBatchStart,
    step: Hook::TestStep,
    batch_end: Hook::OnTestBatchEnd,
    epoch_end: Hook::OnTestEpochEnd,
    end: Hook::OnTestEnd,
    model_train: Some(Hook::OnTestModelTrain),
};

pub(super) const PREDICTION: EvaluationHooks = EvaluationHooks {
    model_eval: Hook::OnPredictModelEval,
    start: Hook::OnPredictStart,
    epoch_start: Hook::OnPredictEpochStart,
    batch_start: Hook::OnPredictBatchStart,
    step: Hook::PredictStep,
    batch_end: Hook::OnPredictBatchEnd,
    epoch_end: Hook::OnPredictEpochEnd,
    end: Hook::OnPredictEnd,
    model_train: None,
};
