package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;

/**
 * Why every byte of every store stays or goes.
 *
 * @param stores every store of every site
 */
public record GcPlanView(List<Store> stores) {
    /** Copies the list. */
    public GcPlanView {
        stores = List.copyOf(stores);
    }

    /**
     * A store.
     *
     * @param site where it stands
     * @param storage its logical address
     * @param problem why it could not be asked; empty when it was
     * @param frames that it has
     * @param bytes of all files in its folder; a hole of a file counts, in a group of its own
     * @param groups every byte in exactly one of them
     * @param pieces every data piece that it has
     */
    public record Store(
            String site,
            String storage,
            String problem,
            long frames,
            long bytes,
            List<Group> groups,
            List<Piece> pieces) {
        /** Copies the lists. */
        public Store {
            groups = List.copyOf(groups);
            pieces = List.copyOf(pieces);
        }
    }

    /**
     * Bytes with the same fate.
     *
     * @param outcome STAYS, WAITS (unneeded, but for something), GOES (with the next sweep) or DELETED
     * @param reason why
     * @param frames how many they are; 0 for what the store holds beside frames
     * @param bytes of them
     */
    public record Group(String outcome, String reason, long frames, long bytes) {}

    /**
     * A data piece.
     *
     * @param piece its identity
     * @param stays whether it holds what it refers to
     * @param reason why
     * @param bytes of all that it refers to
     * @param ownBytes of what no piece listed before it refers to
     */
    public record Piece(UUID piece, boolean stays, String reason, long bytes, long ownBytes) {}
}
