package io.holdfast.chaos.drill;

/** A step of the drill did not do what it must; the message says what was expected and seen. */
final class DrillFailed extends Exception {
    DrillFailed(String message) {
        super(message);
    }

    DrillFailed(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
