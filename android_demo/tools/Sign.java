import com.android.apksig.ApkSigner;
import com.android.apksig.ApkVerifier;
import java.io.File;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/** java -cp apksig.jar Sign.java IN OUT KEYSTORE PASSWORD: aligns (libraries to 16 KiB), signs v2 + v3, verifies. */
public class Sign {
    public static void main(String[] arguments) throws Exception {
        File input = new File(arguments[0]), output = new File(arguments[1]);
        char[] password = arguments[3].toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (var stream = new FileInputStream(arguments[2])) {
            store.load(stream, password);
        }
        String alias = store.aliases().nextElement();
        var key = (PrivateKey) store.getKey(alias, password);
        var certificate = (X509Certificate) store.getCertificate(alias);
        var signer = new ApkSigner.SignerConfig.Builder("demo", key, List.of(certificate)).build();
        new ApkSigner.Builder(List.of(signer)).setInputApk(input).setOutputApk(output)
            .setV1SigningEnabled(false).setV2SigningEnabled(true).setV3SigningEnabled(true).setV4SigningEnabled(false)
            .setAlignmentPreserved(false).setLibraryPageAlignmentBytes(16384).setMinSdkVersion(26).build().sign();
        var result = new ApkVerifier.Builder(output).setMinCheckedPlatformVersion(26).build().verify();
        result.getErrors().forEach(System.err::println);
        System.out.println("signature v2 " + result.isVerifiedUsingV2Scheme() + ", v3 " + result.isVerifiedUsingV3Scheme());
        if (!result.isVerified() || !result.isVerifiedUsingV2Scheme() || !result.isVerifiedUsingV3Scheme()) System.exit(1);
    }
}
