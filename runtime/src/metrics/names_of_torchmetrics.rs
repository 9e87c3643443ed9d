//! Classes of torchmetrics that have another name here. A field may have the type of one, so that the constructor, which the attribute macros
//! report, is the only mistake.
#![allow(missing_docs, clippy::upper_case_acronyms)]

use super::{
    Accuracy, Auroc, AveragePrecision, Binary, BleuScore, ConfusionMatrix, F1Score, MatthewsCorrCoef, Max, Mean, Min,
    Multiclass, Multilabel, Precision, Recall, RougeScore, Specificity, Sum,
};

macro_rules! names {
    ($($class:ident = $metric:ty)*) => {$(
        #[doc(hidden)]
        pub type $class = $metric;
    )*};
}

names! {
    AUROC = Auroc
    BLEUScore = BleuScore
    MaxMetric = Max
    MeanMetric = Mean
    MinMetric = Min
    ROUGEScore = RougeScore
    SumMetric = Sum
    BinaryAUROC = Auroc<Binary>
    BinaryAccuracy = Accuracy<Binary>
    BinaryAveragePrecision = AveragePrecision<Binary>
    BinaryConfusionMatrix = ConfusionMatrix<Binary>
    BinaryF1Score = F1Score<Binary>
    BinaryMatthewsCorrCoef = MatthewsCorrCoef<Binary>
    BinaryPrecision = Precision<Binary>
    BinaryRecall = Recall<Binary>
    BinarySpecificity = Specificity<Binary>
    MulticlassAUROC = Auroc<Multiclass>
    MulticlassAccuracy = Accuracy<Multiclass>
    MulticlassAveragePrecision = AveragePrecision<Multiclass>
    MulticlassConfusionMatrix = ConfusionMatrix<Multiclass>
    MulticlassF1Score = F1Score<Multiclass>
    MulticlassMatthewsCorrCoef = MatthewsCorrCoef<Multiclass>
    MulticlassPrecision = Precision<Multiclass>
    MulticlassRecall = Recall<Multiclass>
    MulticlassSpecificity = Specificity<Multiclass>
    MultilabelAUROC = Auroc<Multilabel>
    MultilabelAccuracy = Accuracy<Multilabel>
    MultilabelAveragePrecision = AveragePrecision<Multilabel>
    MultilabelConfusionMatrix = ConfusionMatrix<Multilabel>
    MultilabelF1Score = F1Score<Multilabel>
    MultilabelMatthewsCorrCoef = MatthewsCorrCoef<Multilabel>
    MultilabelPrecision = Precision<Multilabel>
    MultilabelRecall = Recall<Multilabel>
    MultilabelSpecificity = Specificity<Multilabel>
}
