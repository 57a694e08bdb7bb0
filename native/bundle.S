	.section .rodata
	.global bundle_text
	.global bundle_end
bundle_text:
	.incbin BUNDLE
bundle_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
