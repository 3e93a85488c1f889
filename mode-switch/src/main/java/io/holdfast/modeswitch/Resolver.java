package io.holdfast.modeswitch;

import io.holdfast.standard.Identifier;

/** Turns logical identifiers into physical ones. */
public final class Resolver {
    private Resolver() {}

    /** Resolves every address of an identifier. Pure. */
    public static Resolution resolve(
            Identifier identifier, Placement placement, ResolveTable table) {
        throw new UnsupportedOperationException("not built yet");
    }
}
