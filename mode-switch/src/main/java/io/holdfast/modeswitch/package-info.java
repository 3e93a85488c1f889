@NullMarked
package io.holdfast.modeswitch;

import org.jspecify.annotations.NullMarked;
