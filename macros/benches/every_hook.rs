impl<B: Backbone> Classifier<B>
where
    B: Clone,
{
    fn on_fit_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_fit_start_of_the_user()
    }

    fn on_fit_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_fit_end_of_the_user()
    }

    fn on_train_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_train_start_of_the_user()
    }

    fn on_train_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_train_end_of_the_user()
    }

    fn on_validation_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_validation_start_of_the_user()
    }

    fn on_validation_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_validation_end_of_the_user()
    }

    fn on_test_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_test_start_of_the_user()
    }

    fn on_test_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_test_end_of_the_user()
    }

    fn on_predict_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_predict_start_of_the_user()
    }

    fn on_predict_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_predict_end_of_the_user()
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize) -> Result<Flow> {
        self.on_train_batch_start_of_the_user()
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context, outputs: &Tensor, batch: &(Tensor, Tensor), batch_idx: usize) -> Result<()> {
        self.on_train_batch_end_of_the_user()
    }

    fn on_validation_batch_start(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<()> {
        self.on_validation_batch_start_of_the_user()
    }

    fn on_validation_batch_end(&mut self, ctx: &mut Context, outputs: &Tensor, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<()> {
        self.on_validation_batch_end_of_the_user()
    }

    fn on_test_batch_start(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<()> {
        self.on_test_batch_start_of_the_user()
    }

    fn on_test_batch_end(&mut self, ctx: &mut Context, outputs: &Tensor, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<()> {
        self.on_test_batch_end_of_the_user()
    }

    fn on_predict_batch_start(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<()> {
        self.on_predict_batch_start_of_the_user()
    }

    fn on_predict_batch_end(&mut self, ctx: &mut Context, outputs: &Tensor, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<()> {
        self.on_predict_batch_end_of_the_user()
    }

    fn on_validation_model_zero_grad(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_validation_model_zero_grad_of_the_user()
    }

    fn on_validation_model_eval(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_validation_model_eval_of_the_user()
    }

    fn on_validation_model_train(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_validation_model_train_of_the_user()
    }

    fn on_test_model_eval(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_test_model_eval_of_the_user()
    }

    fn on_test_model_train(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_test_model_train_of_the_user()
    }

    fn on_predict_model_eval(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_predict_model_eval_of_the_user()
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_train_epoch_start_of_the_user()
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_train_epoch_end_of_the_user()
    }

    fn on_validation_epoch_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_validation_epoch_start_of_the_user()
    }

    fn on_validation_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_validation_epoch_end_of_the_user()
    }

    fn on_test_epoch_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_test_epoch_start_of_the_user()
    }

    fn on_test_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_test_epoch_end_of_the_user()
    }

    fn on_predict_epoch_start(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_predict_epoch_start_of_the_user()
    }

    fn on_predict_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_predict_epoch_end_of_the_user()
    }

    fn on_before_zero_grad(&mut self, ctx: &mut Context, optimizer: OptimizerIndex) -> Result<()> {
        self.on_before_zero_grad_of_the_user()
    }

    fn on_before_backward(&mut self, ctx: &mut Context, loss: &Tensor) -> Result<()> {
        self.on_before_backward_of_the_user()
    }

    fn on_after_backward(&mut self, ctx: &mut Context) -> Result<()> {
        self.on_after_backward_of_the_user()
    }

    fn on_before_optimizer_step(&mut self, ctx: &mut Context, optimizer: OptimizerIndex) -> Result<()> {
        self.on_before_optimizer_step_of_the_user()
    }

    fn configure_model(&mut self, ctx: &mut Context) -> Result<()> {
        self.configure_model_of_the_user()
    }

    fn prepare_data(&mut self, ctx: &mut Context) -> Result<()> {
        self.prepare_data_of_the_user()
    }

    fn setup(&mut self, ctx: &mut Context, stage: Stage) -> Result<()> {
        self.setup_of_the_user()
    }

    fn teardown(&mut self, ctx: &mut Context, stage: Stage) -> Result<()> {
        self.teardown_of_the_user()
    }

    fn train_dataloader(&mut self, ctx: &mut Context) -> Result<DataLoader<(Tensor, Tensor)>> {
        self.train_dataloader_of_the_user()
    }

    fn val_dataloader(&mut self, ctx: &mut Context) -> Result<DataLoaders<(Tensor, Tensor)>> {
        self.val_dataloader_of_the_user()
    }

    fn test_dataloader(&mut self, ctx: &mut Context) -> Result<DataLoaders<(Tensor, Tensor)>> {
        self.test_dataloader_of_the_user()
    }

    fn predict_dataloader(&mut self, ctx: &mut Context) -> Result<DataLoaders<(Tensor, Tensor)>> {
        self.predict_dataloader_of_the_user()
    }

    fn on_before_batch_transfer(&mut self, ctx: &mut Context, batch: (Tensor, Tensor), dataloader_idx: usize) -> Result<(Tensor, Tensor)> {
        self.on_before_batch_transfer_of_the_user()
    }

    fn transfer_batch_to_device(&mut self, ctx: &mut Context, batch: (Tensor, Tensor), device: Device, dataloader_idx: usize) -> Result<(Tensor, Tensor)> {
        self.transfer_batch_to_device_of_the_user()
    }

    fn on_after_batch_transfer(&mut self, ctx: &mut Context, batch: (Tensor, Tensor), dataloader_idx: usize) -> Result<(Tensor, Tensor)> {
        self.on_after_batch_transfer_of_the_user()
    }

    fn on_save_checkpoint(&mut self, ctx: &mut Context, checkpoint: &mut Checkpoint) -> Result<()> {
        self.on_save_checkpoint_of_the_user()
    }

    fn on_load_checkpoint(&mut self, ctx: &mut Context, checkpoint: &Checkpoint) -> Result<()> {
        self.on_load_checkpoint_of_the_user()
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize) -> Result<Tensor> {
        self.training_step_of_the_user()
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<Tensor> {
        self.validation_step_of_the_user()
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<Tensor> {
        self.test_step_of_the_user()
    }

    fn predict_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize, dataloader_idx: usize) -> Result<Tensor> {
        self.predict_step_of_the_user()
    }

    fn configure_optimizers(&mut self, ctx: &mut Context) -> Result<Optimizers> {
        self.configure_optimizers_of_the_user()
    }

    fn configure_callbacks(&mut self, ctx: &mut Context) -> Result<Vec<Box<dyn Callback<Self>>>> {
        self.configure_callbacks_of_the_user()
    }

    fn backward(&mut self, ctx: &mut Context, loss: &Tensor) -> Result<()> {
        self.backward_of_the_user()
    }

    fn optimizer_step(&mut self, ctx: &mut Context, epoch: usize, batch_idx: usize, optimizer: OptimizerIndex, closure: &mut StepClosure<'_, Self>) -> Result<()> {
        self.optimizer_step_of_the_user()
    }

    fn optimizer_zero_grad(&mut self, ctx: &mut Context, epoch: usize, batch_idx: usize, optimizer: OptimizerIndex) -> Result<()> {
        self.optimizer_zero_grad_of_the_user()
    }

    fn configure_gradient_clipping(&mut self, ctx: &mut Context, optimizer: OptimizerIndex, gradient_clip_val: Option<f64>, gradient_clip_algorithm: GradientClipAlgorithm) -> Result<()> {
        self.configure_gradient_clipping_of_the_user()
    }

    fn on_exception(&mut self, ctx: &mut Context, exception: &Error) -> Result<()> {
        self.on_exception_of_the_user()
    }
}
