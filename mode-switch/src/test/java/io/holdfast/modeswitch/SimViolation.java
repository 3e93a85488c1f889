package io.holdfast.modeswitch;

/** An invariant was broken; the message begins with its name. */
final class SimViolation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SimViolation(String message) {
        super(message);
    }

    /** The name of the invariant. */
    String invariant() {
        String message = String.valueOf(getMessage());
        int colon = message.indexOf(':');
        return colon < 0 ? message : message.substring(0, colon);
    }
}
