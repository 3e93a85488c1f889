package io.holdfast.chaos.bench;

/** The cluster did something else than what is measured. */
final class BenchFailed extends Exception {
    BenchFailed(String message) {
        super(message);
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
