"""The verbs of the command line. A new one is a `Verb` in a module here and an entry below."""

from engine.verbs import ask, bench, compare, data, download, judge, look, train

VERBS = (
    look.DOCTOR,
    look.METHODS,
    look.MODELS,
    look.STRUCTURE,
    download.DOWNLOAD,
    data.INSPECT,
    data.CONVERT,
    train.TRAIN,
    train.RUNS,
    train.RESUME,
    train.STOP,
    train.JOIN,
    judge.JUDGE,
    ask.ASK,
    compare.EVALUATE,
    compare.REPORT,
    compare.SERVE,
    compare.EXPORT,
    bench.BENCH,
)
