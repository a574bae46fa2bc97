import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipFile;

/**
 * java Alignment.java APK: fails unless stored entries begin at multiples of 4 bytes, stored libraries at multiples of 16 KiB, and
 * every loadable segment of every library is aligned to 16 KiB, as devices with such pages need.
 */
public class Alignment {
    static final int LOAD = 1, PAGE_BYTES = 16384, CENTRAL = 0x02014b50, END = 0x06054b50, END_BYTES = 22;

    public static void main(String[] arguments) throws Exception {
        ByteBuffer apk = ByteBuffer.wrap(Files.readAllBytes(Path.of(arguments[0]))).order(ByteOrder.LITTLE_ENDIAN);
        int end = apk.limit() - END_BYTES;
        while (apk.getInt(end) != END) end--;
        for (int place = apk.getInt(end + 16); apk.getInt(place) == CENTRAL; ) {
            int name = apk.getShort(place + 28), extra = apk.getShort(place + 30), comment = apk.getShort(place + 32);
            if (apk.getShort(place + 10) == 0) checkEntry(apk, apk.getInt(place + 42), new String(apk.array(), place + 46, name));
            place += 46 + name + extra + comment;
        }
        try (ZipFile zip = new ZipFile(arguments[0])) {
            for (var entry : zip.stream().filter(one -> one.getName().endsWith(".so")).toList()) {
                checkLibrary(entry.getName(), zip.getInputStream(entry).readAllBytes());
            }
        }
    }

    static void checkEntry(ByteBuffer apk, int header, String name) {
        int start = header + 30 + apk.getShort(header + 26) + apk.getShort(header + 28);
        require(start % (name.endsWith(".so") ? PAGE_BYTES : 4) == 0, name + " begins at byte " + start);
    }

    static void checkLibrary(String name, byte[] bytes) {
        ByteBuffer elf = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int headers = (int) elf.getLong(32), size = elf.getShort(54), count = elf.getShort(56);
        for (int place = headers; place < headers + count * size; place += size) {
            require(elf.getInt(place) != LOAD || elf.getLong(place + 48) % PAGE_BYTES == 0, name + " is aligned to " + elf.getLong(place + 48) + " bytes");
        }
    }

    static void require(boolean condition, String message) {
        if (condition) return;
        System.err.println(message);
        System.exit(1);
    }
}
