package io.holdfast.chunk;

/** What a frame holds. The code stands in the frame's clear header. */
public enum FrameKind {
    /** A chunk of file content. No children. */
    DATA(1),
    /** A node of a manifest: names and attributes sealed, the ids of what it refers to in clear. */
    NODE(2),
    /** A piece header: clear catalog fields; its one child is the root node of the manifest. */
    PIECE(3);

    private final int code;

    FrameKind(int code) {
        this.code = code;
    }

    /** The number in the header. */
    public int code() {
        return code;
    }
}
