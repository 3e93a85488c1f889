package io.holdfast.replication.state;

/**
 * What a job moved.
 *
 * @param files files, folders and links seen
 * @param filesUnchanged of those, skipped because size, times and inode are as before
 * @param sourceBytes bytes that the piece represents
 * @param bytesRead bytes read from the source, or written to the target
 * @param bytesNew of those, in chunks that the storage lacked, before compression
 * @param bytesStored the same, as sealed frames
 * @param warnings files that vanished or could not be read
 */
public record JobTotals(
        long files,
        long filesUnchanged,
        long sourceBytes,
        long bytesRead,
        long bytesNew,
        long bytesStored,
        long warnings) {
    /** Nothing moved. */
    public static final JobTotals NONE = new JobTotals(0, 0, 0, 0, 0, 0, 0);
}
