"""SequenceClassifier: one label a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from elman.data import Sequences
from elman.estimators.base import RecurrentEstimator
from elman.estimators.parameters import Defaults
from elman.estimators.targets import Targets


@dataclass(kw_only=True, eq=False, repr=False)  # for an __init__ of its own name in errors
class SequenceClassifier(ClassifierMixin, Defaults, RecurrentEstimator):  # type: ignore[misc]
    """Classify sequences with a recurrent network: one label a sequence.

    Parameters
    ----------
    cell : {'elman', 'elman_relu', 'lstm', 'gru'}
    hidden_size : int or tuple of int
        Size of the state h of each layer and direction; or a size for each layer, which makes ``num_layers`` follow.
    num_layers : int
    bidirectional : bool
        Whether a second set of layers reads each sequence from its own end.
    dropout : float in [0, 1)
        Share of values between two layers that are set to 0 in training.
    recurrent_dropout : float in [0, 1)
        Share of h that the next step does not see in training, the same units at all steps of a sequence (Gal &
        Ghahramani 2016).
    zoneout : float in [0, 1)
        Share of the states that stay as they were a step before (Krueger et al. 2017); a prediction takes the mean.
    layer_norm : bool
        Whether the products W_ih x and W_hh h are normalised before they are added (Ba et al. 2016).
    learn_initial_state : bool
        Whether the states before the first step are learned, instead of 0.
    residual : bool
        Whether, from the second layer on, a layer's input is added to its output, where both are of one size.
    readout : {'last', 'mean', 'max', 'attention'} or 'auto'
        What of the last layer's states is classified: those at each direction's last step, or their mean or maximum,
        or a mean with learned weights (Felbo et al. 2017).
    initialisation : {'uniform', 'glorot', 'orthogonal', 'identity', 'chrono', 'mixed'} or 'auto'
        'chrono', for 'lstm' and 'gru': gates start so that memories last 1 step to as many as the longest sequence of
        the training part has (Tallec & Ollivier 2018); 'mixed': those of a quarter of the units; 'identity' is for
        'elman_relu'.
    forget_bias : float or None
        Start of an LSTM's forget gate; None: as the scheme has it.
    optimizer : {'sgd', 'rmsprop', 'adam', 'adamw', 'adagrad', 'adadelta', 'nadam', 'radam', 'amsgrad', 'lion'}
        Each by PyTorch's rule and with its values, but for the rate. 'lion' wants about a tenth of the
        ``learning_rate`` of 'adam', 'adadelta' about 1.
    learning_rate : float or 'auto'
        'auto': by a range test before training, from the network's start (`elman.range_test`); where training goes on,
        as it was.
    momentum : float
    weight_decay : float
        Pull of weights and embeddings to 0, with 'adamw' and 'lion' apart from the gradient; biases, gains and initial
        states are spared.
    nesterov : bool
        Whether momentum is Nesterov's; for 'sgd'.
    batch_size : int or 'auto'
        Sequences a step of the optimizer.
    max_epochs : int or 'auto'
    clip_norm, clip_value : float or None
        Bounds of the gradient's Euclidean norm and of each of its entries.
    early_stopping : bool
        Whether to set a validation part aside and stop when its loss no longer falls. Without it, and without data
        passed as ``validation``, all data is trained on for ``max_epochs``.
    validation_fraction : float in (0, 1)
        The part set aside, by class, or by whole groups where groups are given.
    n_iter_no_change : int, None or 'auto'
        Epochs without a fall of the validation loss by at least ``tol`` before training stops; smaller falls do not
        count. The epoch with the lowest validation loss is kept in any case.
    tol : float
    standardise : bool
        Whether each feature is shifted and scaled to mean 0 and deviation 1 over the training part.
    dtype : {'float32', 'float64'}
    n_threads : int or None
        None: as many as the process may use. The result does not depend on it.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
    verbose : bool
        Whether to print a line an epoch.
    class_weight : dict from labels to floats, 'balanced' or None
        How much each class counts in the loss, 1 where a dict does not say; 'balanced': so that all classes count alike
        together. It multiplies ``sample_weight`` there; the scale of the features and the share of each class that
        `baselines_` knows are as without it.
    warm_start : bool
        Whether `fit` goes on from the network and the preparation of the features that are there; the parameters of
        both must stay as they were. Of the same labels and groups the same sequences are set aside again; of others,
        `fit` warns, since the validation part may hold sequences that were trained on before.
    missing : {'error', 'indicator'}
        Whether a missing value, NaN, is an error; or the last value seen stands in for it, beside two more features
        that say that it is missing and for how long. A missing kind counts as unknown. See `elman.data.Preparation`.
    categorical_features : list of int or str, or None
        Indices or names of features that are numbers but stand for kinds. Text of tables is categorical by itself.
        Up to 8 kinds become a feature each; more are embedded, as the tokens of texts are. `fit` warns of more than 50
        kinds where every other step has one of its own, as a quantity has.
    embedding_size : int or None
        Size of the vectors that kinds and tokens are embedded in; None: by how many there are, at most 32.
    text : {'characters', 'words'}
        What texts in X are split into.
    layout : {'steps-first', 'channels-first'}
        Whether arrays in X are (N, T, D) and (T_n, D), or (N, D, T) and (D, T_n) as aeon's.
    n_members : int
        How many networks are trained, from different starts on the same training part, as many at a time as there are
        threads; their probabilities are averaged. The first is the network that ``n_members=1`` gives. Where training
        goes on, in a warm start or by `partial_fit`, each of them does, and their number must stay as it was.
    calibrate : bool
        Whether a temperature is fitted on the validation part once training is done: the T for which p^(1/T), each row
        divided by its sum, has the least log loss there (Guo et al. 2017). Which class is the most probable stays as it
        is. Figures on the validation part then include it.
    refit : bool or 'auto'
        Whether, after the training that was validated, a network is trained from the same start on all data, for as
        many epochs as were best; it is the model, and all figures stay those of the first. 'auto': where all sequences
        together have at most 200,000 steps.
    centred : bool
        Whether 'rmsprop' divides by the deviation of the gradient instead of its root mean square.
    schedule : {'constant', 'step', 'exponential', 'cosine', 'one_cycle', 'plateau'}
        How ``learning_rate`` changes over the ``max_epochs``. 'step' multiplies it by ``schedule_factor`` every
        ``schedule_epochs`` epochs, 'exponential' as much but a little at each step; 'cosine' takes it down to
        ``final_rate`` of it, and so does 'one_cycle', which first takes it up from a 25th of it; 'plateau' multiplies
        it by ``schedule_factor`` whenever for more than ``schedule_epochs`` epochs the validation loss has not fallen
        by ``tol``.
    warm_up : float in [0, 1)
        Share of all steps in which the rate rises in a line to what the schedule begins with.
    schedule_epochs : int
    schedule_factor : float in (0, 1)
    final_rate : float in [0, 1]
    label_smoothing : float in [0, 1)
        Share of each label that is spread evenly over all classes in training (Szegedy et al. 2016). The training loss
        is that of the smoothed labels, the validation loss that of the labels themselves.
    gradient_noise : float
        Variance of the noise that is added to the gradient; it falls as (1 + steps)^-0.55 (Neelakantan et al. 2015).
    weight_average : float in [0, 1)
        Decay, a step, of a running mean of the parameters, which is validated and kept in their place, such as 0.99;
        0: none. Early on it follows faster.
    bucket_by_length : bool
        Whether a batch holds sequences of like length, drawn and weighed so that none is favoured. It saves little
        time, since padding is never computed.
    jitter : float
        Training sequences are augmented anew in every epoch, by noise of this deviation on each value; where features
        are standardised, in deviations of theirs. Nothing but training is augmented, and kinds never are.
    scaling : float in [0, 10]
        Likewise, each feature of a sequence is multiplied by a number of its own, around 1 with this deviation.
    time_warp : float in [0, 10]
        Likewise, time runs faster and slower within a sequence, its speed by this deviation of the logarithm (0.2:
        mostly within a fifth); the length stays, and labels of steps follow.
    window_slice : float in (0, 1]
        Likewise, a window of this share of a sequence's steps is taken. See `elman.training.augmentation`.
    patch_size : int or 'auto'
        How many steps in a row the network reads as one, their features side by side; 1: each by itself. 'auto': 1
        where the training sequences have a median of up to 512 steps, else the least that makes it at most 256, as
        long as a patch holds at most 1,024 numbers; 1 where tokens or more than 8 kinds are embedded. See
        `elman.data.patches`.
    accumulate : int
        Batches whose gradients make one step of the optimizer, as one batch of so many times ``batch_size`` would, in
        the memory of one.

    Attributes
    ----------
    classes_ : array (C,)
    n_features_in_ : int
        D, the number of features of a step; T where the training data was a table (N, T).
    feature_names_in_ : array (n_features_in_,) of str
        Where the training data had names. Sequences and their features are then found by name.
    n_iter_ : int
        Epochs of the last `fit`; after `partial_fit` all epochs and calls so far.
    loss_curve_, validation_scores_ : list of float
        The training loss, and the accuracy on the validation part, of each epoch, those before a warm start included.
    history_ : list of dict
        One record an epoch, likewise: losses, accuracies, gradient norm, share of clipped steps, ratio of updates to
        parameters, learning rate, steps so far, whether training broke down, seconds, sequences a second.
        All three are of the first member.
    histories_ : list of lists of dict
        The records of each member.
    learning_rate_ : float
        The learning rate of the last training, before its schedule.
    range_test_ : RangeTest
        With ``learning_rate='auto'``, the curve that it was chosen by; not kept in a model file.
    training_ : dict
        What the last training was: epochs, best epoch, seconds, learning rate, sizes of both parts, figures on the
        validation part, or None where there is none or the scores on it are not finite.
        Epochs are of the first member, and under 'members' of each. 'health' has the problems found: rule, sentence
        and number.
    health_ : list of str
        The sentences of it, each with what to try; empty where all is well, and after `partial_fit`.
    baselines_ : Baselines
        Two simple classifiers fitted on the same training part; `elman.estimators.evaluation` measures against them.
    preparation_ : Preparation
        What becomes of the features before the network sees them, learned on the training part.
    network_ : Network
        Holds the parameters of the epoch with the lowest validation loss; the first of ``networks_``.
    networks_ : list of Network
        Every member, each of its own best epoch. After Ctrl-C, those that had made an epoch.
    temperature_ : float
        That of the probabilities; 1 where they are not calibrated.
    columns_ : dict
        The columns of the table that the data was read from, by role; empty where unknown.

    Examples
    --------
    Sequences of any length; which of them rise?

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = [np.cumsum(rng.normal(slope, 1.0, size=rng.integers(20, 40))) for slope in [-0.5, 0.5] * 20]
    >>> y = ["falls", "rises"] * 20
    >>> classifier = SequenceClassifier(hidden_size=8, max_epochs=20, random_state=0).fit(X, y)
    >>> classifier.predict([np.linspace(0, 20, 30), np.linspace(0, -20, 25)]).tolist()
    ['rises', 'falls']

    Words of two languages, character by character:

    >>> german = "haus maus laus baum raum saum zaun faun kaum lauf kauf rauch bauch lauch schau grau blau frau".split()
    >>> italian = "casa rosa cosa pera vera sera posa tosa nera cera mela vela tela sala pala gala lira mira".split()
    >>> words, languages = german + italian, ["de"] * 18 + ["it"] * 18
    >>> classifier = SequenceClassifier(hidden_size=8, max_epochs=30, random_state=0).fit(words, languages)
    >>> classifier.predict(["traum", "sposa"]).tolist()
    ['de', 'it']
    """

    every_step: ClassVar[bool] = False
    score = RecurrentEstimator.score  # the one of ClassifierMixin, which comes first, knows none of our labels

    def _targets(self, y: Any, sequences: Sequences, name: str = "y") -> Targets:
        return Targets.of_sequences(y, sequences, name=name)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Give the probability of each class, (N, C)."""
        return self._proba(self._sequences(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Give the most probable class of each sequence, (N,)."""
        sequences = self._sequences(X)
        predicted: NDArray[Any] = self.classes_[self._winners(sequences)]
        return predicted
