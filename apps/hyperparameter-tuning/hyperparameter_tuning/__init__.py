from studykit import importing

importing.say_interrupts()
